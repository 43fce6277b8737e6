"""What the supervising process becomes once it knows what to run: all that it needs, and little else in memory.

Working that out takes the settings and the gateway's configuration, which need 20 MB of libraries for a second.
`trellis.supervisor` writes it down as a plan and becomes this program, under the same number and the same lock.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from trellis import watcher
from trellis.forks import ForkServer
from trellis.postgres import EmbeddedPostgres
from trellis.probes import Probe
from trellis.programs import Program
from trellis.state import State
from trellis.supervision import Supervisor


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to run. It holds every program's secrets, and is written to memory only."""

    folder: Path
    programs: Sequence[Program]
    told: Mapping[str, object]
    is_embedded: bool
    """Whether the database is ours to watch."""
    forks: Mapping[str, str] | None = field(repr=False)
    """The environment of the process that forks programs; None when each is an interpreter of its own."""

    def written(self) -> bytes:
        """As it is handed over."""
        return json.dumps(asdict(self), default=str).encode()

    @classmethod
    def read(cls, text: bytes) -> Self:
        """What `written` wrote."""
        plan: dict[str, Any] = json.loads(text)
        programs = [
            Program(**{**one, "probe": _probe(one["probe"]), "alive": _probe(one["alive"])}) for one in plan["programs"]
        ]
        return cls(**{**plan, "folder": Path(plan["folder"]), "programs": programs})


def _probe(probe: dict[str, Any] | None) -> Probe | None:
    if probe is None:
        return None
    return Probe(**{**probe, "unix": None if probe["unix"] is None else Path(probe["unix"])})


def run(plan: Plan) -> None:
    """Keep it running until it is asked to stop."""
    state = State(plan.folder)
    Supervisor(
        state,
        plan.programs,
        postgres=EmbeddedPostgres.of(state) if plan.is_embedded else None,
        told=plan.told,
        watcher=watcher.command_of(state),
        fork_server=None if plan.forks is None else ForkServer(plan.forks),
    ).run()


def main() -> int:
    """Run the plan in the first of two inherited files; the second holds the lock."""
    plan, lock = map(int, sys.argv[1:3])
    os.set_inheritable(lock, False)
    with os.fdopen(plan, "rb") as file:
        run(Plan.read(file.read()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
