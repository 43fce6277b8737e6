"""What a service is made of is found by name, and what isn't found can't be recorded."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from kit.database.sessions import Context
from kit.definition import ServiceDefinition
from kit.events.recording import EventNotRegistered, EventType, record_event
from kit.jobs.queue import TaskNotRegistered, defer
from tests.support.databases import Sandbox
from tests.support.tokens import PROSPERE
from trellis.docs import DEFINITIONS, definition_of

ALL = Context(PROSPERE, None, "person:ceo")


class Nothing(BaseModel):
    """Data without a member."""


FORGOTTEN = EventType("org.trellis.academy.thing.forgotten.v1", "It was forgotten", "events:read", Nothing)


async def test_an_event_that_no_slice_has_is_refused_when_it_is_recorded(database: Sandbox) -> None:
    async with database.of("academy").session(ALL) as session:
        with pytest.raises(EventNotRegistered, match="forgotten"):
            await record_event(session, FORGOTTEN, subject="things/1", urn=None, data=Nothing())


async def test_a_task_that_no_slice_has_is_refused_when_it_is_queued(database: Sandbox) -> None:
    async with database.of("academy").session(ALL) as session:
        with pytest.raises(TaskNotRegistered, match=r"academy\.things\.forget"):
            await defer(session, "academy.things.forget", trust_id=PROSPERE)


@pytest.mark.parametrize("service", DEFINITIONS)
def test_every_folder_with_routes_is_a_slice_of_its_service(service: str) -> None:
    """A slice that the tuple doesn't name would be code that nobody reaches."""
    definition = definition_of(service)
    home = Path(str(__import__(definition.home, fromlist=["x"]).__file__)).parent
    folders = {path.parent.name for path in home.glob("*/routes.py")}
    assert folders - set(definition.slices) == set()


@pytest.mark.parametrize("service", DEFINITIONS)
def test_every_type_of_event_is_found_once(service: str) -> None:
    types = [one.type for one in definition_of(service).event_types]
    assert len(types) == len(set(types))
    assert all(name.startswith(f"org.trellis.{service}.") for name in types)


def test_a_service_without_slices_has_nothing() -> None:
    empty = ServiceDefinition("research", slices=(), title="t", description="d")
    assert not empty.has_event(FORGOTTEN)
    assert empty.queue_of("research.things.forget") is None
