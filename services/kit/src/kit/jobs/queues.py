"""The queues of a worker: how many jobs of each may run at the same time.

A queue's limit is its own: jobs of one never wait for those of another, so that a webhook isn't held up by an import.
A task names its queue; its worker runs `default` and those that its tasks name.
"""

from collections.abc import Iterable, Mapping

DEFAULT = "default"

LIMITS: Mapping[str, int] = {DEFAULT: 2, "imports": 2, "small-imports": 1, "ratings": 2, "reports": 1, "webhooks": 4}
"""Jobs of each queue that one worker runs at the same time, unless the service says otherwise."""


class UnknownQueue(ValueError):
    """A task names a queue that has no limit, so that nobody would ever run its jobs."""


def limits_of(names: Iterable[str], own: Mapping[str, int] | None = None) -> dict[str, int]:
    """The limits of `default` and of these queues; `own` are the service's. Raises UnknownQueue."""
    known = {**LIMITS, **(own or {})}
    wanted = {DEFAULT, *names}
    if unknown := wanted - known.keys():
        raise UnknownQueue(f"no limit for the queue {', '.join(sorted(unknown))}: declare it in kit.jobs.queues")
    return {name: known[name] for name in sorted(wanted)}
