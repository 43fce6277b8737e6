"""What may be recorded in a service's database: types of events that its feed shows, tasks that its worker runs."""

from typing import Any, Protocol


class Registered(Protocol):
    """What a service has registered; `kit.definition.ServiceDefinition` is one."""

    def has_event(self, event_type: Any) -> bool:
        """Does the service's feed show events of this type?"""

    def queue_of(self, task: str) -> str | None:
        """The queue of a task that the service's worker runs; None when it runs none of this name."""
