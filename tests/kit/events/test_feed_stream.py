"""The change feed as server-sent events."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from kit.database.sessions import Database
from kit.web import feed_routes
from kit.web.app import Service
from tests.support.databases import Clone
from tests.support.feed import HIDDEN, PATH, feed_service, note, raise_epoch
from tests.support.streaming import streamed
from tests.support.tokens import issue_token


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def service(database: Database) -> Service:
    """A service with a feed."""
    return feed_service(database)


def listening(last_event_id: str | None = None, **claims: Any) -> Mapping[str, str]:
    """The headers of a reader of the stream."""
    token = issue_token(None, **{"scopes": ["events:read", "ratings:read"], **claims})
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
    return {**headers, "Last-Event-ID": last_event_id} if last_event_id else headers


async def test_events_are_sent_as_they_happen(service: Service, database: Database) -> None:
    await note(database, 1)
    async with streamed(service, PATH, listening()) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert (await stream.block())["retry"]
        assert (await stream.event())[1]["data"] == {"number": 1}
        await note(database, 2, event_type=HIDDEN)
        await note(database, 3)
        block = await stream.block()
        assert block["event"] == "org.trellis.academy.note.noted.v1"
        assert '"subject":"notes/3"' in block["data"]


async def test_a_reader_comes_back_to_where_it_was(service: Service, database: Database) -> None:
    for number in range(3):
        await note(database, number)
    async with streamed(service, PATH, listening()) as stream:
        first, _ = await stream.event()
    async with streamed(service, PATH, listening(first)) as stream:
        assert [(await stream.event())[1]["data"]["number"] for _ in range(2)] == [1, 2]
    # The header goes before the parameter: a browser repeats the URL that it began with.
    async with streamed(service, f"{PATH}?after=now", listening(first)) as stream:
        assert (await stream.event())[1]["data"]["number"] == 1


async def test_pages_follow_one_another_without_a_pause(service: Service, database: Database) -> None:
    for number in range(7):
        await note(database, number)
    async with streamed(service, f"{PATH}?limit=2", listening()) as stream:
        assert [(await stream.event(1))[1]["data"]["number"] for _ in range(7)] == list(range(7))


async def test_a_silent_stream_shows_that_it_is_alive(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_routes, "HEARTBEAT_SECONDS", 0.2)
    async with streamed(service, PATH, listening()) as stream:
        await stream.block()
        assert await stream.block() == {"": "still here"}


async def test_a_stream_ends_with_its_token(service: Service) -> None:
    async with streamed(service, PATH, listening(lifetime=timedelta(seconds=2))) as stream:
        await stream.end(5)


async def test_a_stream_ends_when_the_process_is_asked_to_stop(service: Service) -> None:
    async with streamed(service, PATH, listening()) as stream:
        await stream.block()
        await asyncio.sleep(0.1)
        service.state.tools.closing.begin()
        await stream.end(1)


async def test_a_stream_ends_when_its_database_goes_away(
    service: Service, database: Database, committed_database: Clone
) -> None:
    """The reader keeps its place and asks again; then it is told when."""
    await note(database, 1)
    async with streamed(service, PATH, listening()) as stream:
        place, _ = await stream.event()
        async with committed_database.away():
            await stream.end(10)
            async with streamed(service, PATH, listening(place)) as refused:
                assert refused.status == 503
                assert refused.headers["retry-after"]
    await note(database, 2)
    async with streamed(service, PATH, listening(place)) as stream:
        assert (await stream.event())[1]["data"] == {"number": 2}


async def test_what_is_wrong_is_said_before_the_stream_begins(
    service: Service, database: Database, committed_database: Clone
) -> None:
    await note(database, 1)
    async with streamed(service, PATH, listening()) as stream:
        place, _ = await stream.event()
    async with streamed(service, PATH, listening("nonsense")) as refused:
        assert refused.status == 400
        assert refused.headers["content-type"] == "application/problem+json"
    await raise_epoch(committed_database.admin_url, ["academy"])
    async with streamed(service, PATH, listening(place)) as gone:
        assert gone.status == 410
