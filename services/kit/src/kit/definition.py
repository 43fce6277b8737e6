"""What a service is made of: its slices by name, and what the kit finds in each.

A service names its slices in one tuple:

    ACADEMY = ServiceDefinition("academy", slices=("trusts", "academies", ...), title="Trellis Academy", ...)

The kit then finds, in each slice and in the service's own package, by the names of the files:

- `routes.py`: `router` (under `/{service}/v1`), `root_router` (at the root), and `install(app)` for what an app needs
- `tables.py`: the table classes
- `events.py`: every `EventType`
- `jobs.py`: `tasks`
- `transitions.py`: every `States`
- `links.py`: every `LinkResource`
- `codes.py`: every kind of `FieldCode`, the codes of single faults
- `followers.py`: every `ReadModel` and `SideEffects`, and `on_holder_ended` (`kit.workers.following`)
- `personal.py`: every `PersonalTable`, for copies and erasure of what is held of people (`kit.people`)

Nothing is listed twice, so nothing is forgotten: an event or task that isn't found this way is refused when it is
recorded. Parts are loaded when they are first needed: a worker loads no routes.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any, TypeVar

from kit.events.recording import EventType
from kit.field_codes import FieldCode, KitCode, meanings
from kit.links.resources import LinkResource
from kit.people.declared import PersonalTable
from kit.people.erasing import erasing_late
from kit.people.events import person_data_erased
from kit.resources.transitions import States
from kit.schema.chains import Chain

Part = TypeVar("Part")


@dataclass(frozen=True)
class ServiceDefinition:
    """A service: its name (schema, first part of its paths), its slices, and what its contract says of it."""

    name: str
    slices: tuple[str, ...]
    title: str
    description: str
    package: str = ""

    @property
    def home(self) -> str:
        """The package that holds the slices."""
        return self.package or self.name

    @property
    def chain(self) -> Chain:
        """Its migrations."""
        return Chain(self.name, self.home)

    def modules(self, part: str) -> Iterator[ModuleType]:
        """The modules with this name, of the service itself and then of its slices, in their order."""
        for place in (self.home, *(f"{self.home}.{slice_}" for slice_ in self.slices)):
            name = f"{place}.{part}"
            if importlib.util.find_spec(name) is not None:
                yield importlib.import_module(name)

    def found(self, part: str, kind: type[Part]) -> tuple[Part, ...]:
        """Every value of this kind that such a module holds, once, in the order of its definition."""
        values: dict[int, Part] = {}
        for module in self.modules(part):
            for value in vars(module).values():
                if isinstance(value, kind):
                    values.setdefault(id(value), value)
        return tuple(values.values())

    def named(self, part: str, name: str) -> tuple[Any, ...]:
        """What such modules hold under this name."""
        return tuple(getattr(module, name) for module in self.modules(part) if hasattr(module, name))

    @cached_property
    def event_types(self) -> tuple[EventType, ...]:
        """Every type of event that the service's feed shows."""
        own = self.found("events", EventType)
        return (*own, self.person_data_erased) if self.personal_tables else own

    @cached_property
    def tasks(self) -> tuple[Any, ...]:
        """The tasks (`kit.jobs.tasks.Tasks`) of every slice that has any. Its library is loaded by workers alone."""
        own = self.named("jobs", "tasks")
        if not self.personal_tables:
            return own
        return (*own, erasing_late(self.name, self.personal_tables, self.person_data_erased))

    @cached_property
    def tables(self) -> tuple[ModuleType, ...]:
        """The modules with tables, loaded: rows of one slice refer to those of another."""
        return tuple(self.modules("tables"))

    @cached_property
    def link_resources(self) -> tuple[LinkResource, ...]:
        """What in the service can be linked to."""
        return self.found("links", LinkResource)

    @cached_property
    def field_codes(self) -> dict[str, str]:
        """Every code of a single fault (`errors[].code`) with what it means, in the order of the codes."""
        kinds: list[type[FieldCode]] = [
            value
            for module in self.modules("codes")
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, FieldCode)
        ]
        return meanings(KitCode, *kinds)

    @cached_property
    def states(self) -> tuple[States[Any], ...]:
        """What in the service has states."""
        return self.found("transitions", States)

    @cached_property
    def personal_tables(self) -> tuple[PersonalTable, ...]:
        """What the service holds of people."""
        return self.found("personal", PersonalTable)

    @cached_property
    def person_data_erased(self) -> EventType:
        """What it announces once it has erased that of one person."""
        return person_data_erased(self.name)

    def has_event(self, event_type: EventType) -> bool:
        """Does the service's feed show events of this type?"""
        return event_type in self._event_types

    def queue_of(self, task: str) -> str | None:
        """The queue of a task that the service's worker runs; None when it runs none of this name."""
        return self._queues.get(task)

    @cached_property
    def _event_types(self) -> frozenset[EventType]:
        return frozenset(self.event_types)

    @cached_property
    def _queues(self) -> dict[str, str]:
        return {task.name: task.queue for tasks in self.tasks for task in tasks}
