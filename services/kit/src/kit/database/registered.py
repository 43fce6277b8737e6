"""What may be recorded in a service's database: types of events that its feed shows, tasks that its worker runs."""

from typing import Any, Protocol


class Registered(Protocol):
    """What a service has registered; `kit.definition.ServiceDefinition` is one."""

    def has_event(self, event_type: Any) -> bool:
        """Does the service's feed show events of this type?"""

    def has_task(self, name: str) -> bool:
        """Does the service's worker run a task of this name?"""
