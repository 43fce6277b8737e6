"""Many readers wait for events: what that costs the database, and whom it leaves alone. Counted, not timed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import event

from kit.database.sessions import Connection, Context, Database
from kit.events import watching
from kit.events.pages import Page, Position, Reader, read_page
from kit.web.app import Service
from tests.support.databases import Clone
from tests.support.feed import HIDDEN, PATH, feed_service, note
from tests.support.jobs import until
from tests.support.streaming import streamed
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token

READERS = 40
OTHER = Context(OTHER_TRUST, None, "person:other")


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def service(database: Database) -> Service:
    """A service with a feed."""
    return feed_service(database)


def token_of(**claims: Any) -> str:
    """A token for the feed."""
    return issue_token(None, **{"scopes": ["events:read", "ratings:read"], **claims})


async def get(service: Service, token: str, **parameters: Any) -> httpx.Response:
    """One page."""
    transport = httpx.ASGITransport(service)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(PATH, params=parameters, headers={"Authorization": f"Bearer {token}"})


@asynccontextmanager
async def readers(
    service: Service, database: Database, count: int = READERS, **claims: Any
) -> AsyncIterator[Sequence["asyncio.Task[httpx.Response]"]]:
    """So many readers who have all events and wait for the next, each with a token of its own."""
    trust = claims.get("trust", PROSPERE)
    tokens = [token_of(**claims) for _ in range(count)]
    place = (await get(service, tokens[0])).json()["next"]
    before = asleep(database, trust)
    waiting = [asyncio.create_task(get(service, token, after=place, wait=20)) for token in tokens]
    await until(lambda: asleep(database, trust) == before + count, 20)
    try:
        yield waiting
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def asleep(database: Database, trust: UUID) -> int:
    """How many readers of a trust wait to be woken."""
    watch = watching.watches_of(database).of(trust)
    return 0 if watch is None else watch.asleep


@contextmanager
def transactions(database: Database) -> Iterator[list[object]]:
    """Collects one entry for each time that a connection is taken for a transaction."""
    taken: list[object] = []

    def count(*arguments: object) -> None:
        taken.append(arguments[0])

    event.listen(database.engine.sync_engine, "checkout", count)
    yield taken
    event.remove(database.engine.sync_engine, "checkout", count)


async def test_idle_readers_of_a_trust_cost_one_look_together(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(watching, "LOOK_SECONDS_DEAF", 0.1)
    async with readers(service, database):
        watch = watching.watches_of(database).of(PROSPERE)
        assert watch is not None
        before = watch.looks
        with transactions(database) as taken:
            await until(lambda: watch.looks >= before + 5, 10)
            assert len(taken) <= watch.looks - before + 1


async def test_an_event_wakes_the_readers_of_its_trust_and_nobody_else(
    service: Service, database: Database, committed_database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """... also when another process announces it."""
    monkeypatch.setattr(watching, "LOOK_SECONDS", 60.0)
    elsewhere = committed_database.new("academy")
    async with readers(service, database) as own, readers(service, database, trust=OTHER_TRUST) as others:
        await until(lambda: database.wakeups.hears, 5)
        watch = watching.watches_of(database).of(PROSPERE)
        assert watch is not None
        # What was committed before we listened is looked for once.
        await until(lambda: watch.looks > 0, 5)
        looks = watch.looks
        await note(elsewhere, 1, context=OTHER)
        answers = await asyncio.gather(*others)
        assert all(answer.json()["items"][0]["data"] == {"number": 1} for answer in answers)
        assert (watch.looks, asleep(database, PROSPERE)) == (looks, READERS)
        assert not any(one.done() for one in own)
    await elsewhere.dispose()


async def test_readers_of_the_same_events_share_one_query(service: Service, database: Database) -> None:
    async with readers(service, database) as waiting:
        with transactions(database) as taken:
            await note(database, 1)
            answers = await asyncio.gather(*waiting)
        assert {answer.json()["items"][0]["data"]["number"] for answer in answers} == {1}
        # The event itself, some looks, and one page for all.
        assert len(taken) < READERS / 2


async def test_an_event_that_a_page_hides_for_a_moment_reaches_who_waits(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quiet transaction that ends while a page is read counts as one that runs: that page ends before it."""
    hidden = 0

    async def reading(connection: Connection, reader: Reader, after: Position, limit: int) -> Page:
        nonlocal hidden
        page = await read_page(connection, reader, after, limit)
        if not page.events or hidden == 2:
            return page
        hidden += 1
        return replace(page, events=[], after=after, horizon=page.events[0][0].xid)

    monkeypatch.setattr(watching, "read_page", reading)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(watching, "LOOK_SECONDS_DEAF", 0.1)
    async with readers(service, database, 3) as waiting:
        await note(database, 1)
        async with asyncio.timeout(5):
            answers = await asyncio.gather(*waiting)
    assert [answer.json()["items"][0]["data"]["number"] for answer in answers] == [1, 1, 1]
    assert hidden == 2


async def test_idle_streams_look_together_too(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kit.web.feed_routes.HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 60.0)
    monkeypatch.setattr(watching, "LOOK_SECONDS_DEAF", 60.0)
    headers = {"Authorization": f"Bearer {token_of()}", "Accept": "text/event-stream"}
    async with streamed(service, PATH, headers) as one:
        assert "retry" in await one.block()
        await one.block()
        with transactions(database) as taken:
            for _ in range(4):
                assert await one.block() == {"": "still here"}
        # A watch that begins anew looks once.
        assert len(taken) <= 5


async def test_a_shared_page_is_only_for_those_who_may_see_the_same(service: Service, database: Database) -> None:
    async with (
        readers(service, database, 3) as chiefs,
        readers(service, database, 3, academies=[100002]) as heads,
        readers(service, database, 3, scopes=["events:read", "identity:read"]) as admins,
    ):
        await note(database, 1, urn=100001)
        assert [(await one).json()["items"][0]["data"]["number"] for one in chiefs] == [1, 1, 1]
        await note(database, 2, urn=100002)
        assert [(await one).json()["items"][0]["data"]["number"] for one in heads] == [2, 2, 2]
        await note(database, 3, event_type=HIDDEN)
        assert [(await one).json()["items"][0]["data"]["number"] for one in admins] == [3, 3, 3]


async def test_woken_readers_go_on_in_turns_trust_by_trust() -> None:
    loop = asyncio.get_running_loop()
    waker, order = watching.Waker(), []

    def sleeper(name: str) -> "asyncio.Future[None]":
        future: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(lambda _: order.append(name))
        return future

    many, few = [sleeper("many") for _ in range(100)], [sleeper("few") for _ in range(2)]
    waker.wake(PROSPERE, many)
    waker.wake(OTHER_TRUST, few)
    await asyncio.gather(*many, *few)
    assert [place for place, name in enumerate(order) if name == "few"][-1] < 5
    assert order.count("many") == 100


async def test_who_was_woken_waits_for_no_turn_when_the_process_stops() -> None:
    waker = watching.Waker()
    sleepers: list[asyncio.Future[None]] = [asyncio.get_running_loop().create_future() for _ in range(100)]
    waker.wake(PROSPERE, sleepers)
    waker.release()
    assert all(sleeper.done() for sleeper in sleepers)


async def test_a_trust_is_watched_again_after_a_fault(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.05)
    look, faults = watching.Watch._look, iter([True])

    async def faulty(watch: watching.Watch) -> bool:
        if next(faults, False):
            raise RuntimeError
        return await look(watch)

    monkeypatch.setattr(watching.Watch, "_look", faulty)
    async with readers(service, database, 1) as (reader,):
        await note(database, 1)
        assert len((await reader).json()["items"]) == 1


async def test_a_look_ends_by_itself_when_its_readers_have_gone(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, looked = asyncio.Event(), asyncio.Event()
    look = watching.Watch._look

    async def slow(watch: watching.Watch) -> bool:
        await go_on.wait()
        is_behind = await look(watch)
        looked.set()
        return is_behind

    monkeypatch.setattr(watching.Watch, "_look", slow)
    async with readers(service, database, 1):
        pass
    assert watching.watches_of(database).of(PROSPERE) is None
    go_on.set()
    await asyncio.wait_for(looked.wait(), 10)


async def test_a_token_and_a_trust_may_wait_so_often_at_once(service: Service, database: Database) -> None:
    settings = service.state.tools.settings
    token = token_of()
    waits = service.state.tools.waits
    place = (await get(service, token)).json()["next"]
    waiting: list[asyncio.Task[Any]] = []
    for _ in range(settings.limit_waiting_per_token):
        # One after the other: a busy service refuses some of many that come at once.
        waiting.append(asyncio.create_task(get(service, token, after=place, wait=30)))
        await until(lambda: asleep(database, PROSPERE) == len(waiting), 20)
    refused = await get(service, token, after=place, wait=20)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert int(refused.headers["Retry-After"]) > 0
    assert "this token" in refused.json()["detail"]
    # Who doesn't wait isn't counted, and another token of the trust has waits of its own.
    assert (await get(service, token, after=place)).status_code == 200
    async with streamed(service, PATH, {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}) as stream:
        assert stream.status == 429
    headers = {"Authorization": f"Bearer {token_of()}", "Accept": "text/event-stream"}
    async with streamed(service, PATH, headers) as one, streamed(service, PATH, headers) as same:
        # A stream waits for no other, though it was asked for in the same words.
        assert (one.status, same.status) == (200, 200)
    await note(database, 1)
    await asyncio.gather(*waiting)
    await until(lambda: waits.count == 0, 5)
    assert (await get(service, token, wait=1)).status_code == 200


async def test_a_trust_has_a_limit_of_its_own(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = service.state.tools.waits
    monkeypatch.setattr(waits, "_of_trust", 1)
    async with streamed(service, PATH, {"Authorization": f"Bearer {token_of()}", "Accept": "text/event-stream"}) as one:
        assert one.status == 200
        refused = await get(service, token_of(), wait=1)
        assert (refused.status_code, "this trust" in refused.json()["detail"]) == (429, True)
        assert (await get(service, token_of(trust=OTHER_TRUST), wait=1)).status_code == 200
    await until(lambda: waits.count == 0, 5)
