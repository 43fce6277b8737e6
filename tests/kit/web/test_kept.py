"""Answers that are given again: only to the same request, and only while nothing was committed."""

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from kit.database.sessions import Database
from kit.resources.models import Tagged
from kit.web import kept
from kit.web.app import Service, create_service
from kit.web.kept import KEPT
from kit.web.replies import TAGGED, Reply
from kit.web.request_keys import KEY_BYTES, request_key
from kit.web.security import CallerDep
from kit.web.sessions import SessionDep
from tests.support.clients import settings_of
from tests.support.databases import Clone
from tests.support.feed import PATH as EVENTS
from tests.support.feed import feed_service, note
from tests.support.tokens import OTHER_TRUST, issue_token, trusted_keys

PATH = "/academy/v1/count"


class CountOut(Tagged):
    """How many schools there are, and how often that was asked of the database."""

    schools: int
    calls: int


class Counting:
    """A service that counts."""

    def __init__(self, database: Database) -> None:
        self.calls = 0
        router = APIRouter(tags=["count"])

        @router.get("/count", operation_id="count_view", summary="Count", responses=TAGGED, openapi_extra=KEPT)
        async def count_view(reply: Reply, session: SessionDep, _: CallerDep, q: str = "") -> CountOut:
            """Counts."""
            self.calls += 1
            found = await session.execute(text("select count(*) from academy.school"))
            schools = int(found.scalar_one())
            return reply.tagged(CountOut(schools=schools, calls=self.calls).tagged(f'"{schools}"'))

        self.app: Service = create_service(
            settings_of("academy", database.url),
            title="Count",
            description="Count.",
            routers=[router],
            keys=trusted_keys(),
        )
        self.app.state.tools.database = database
        self.token = issue_token(None)

    async def get(self, token: str | None = None, **options: Any) -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {token or self.token}", **options.pop("headers", {})}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(options.pop("method", "GET"), PATH, headers=headers, **options)


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def counting(database: Database) -> Counting:
    """The service."""
    return Counting(database)


async def add_school(committed_database: Clone, urn: int) -> None:
    """Another process adds a school."""
    async with committed_database.admin() as admin:
        await admin.execute(
            "insert into academy.school (urn, name, status, updated_at) values ($1, 'A', 'open', now())", urn
        )


async def test_what_comes_a_second_time_is_kept_and_given_again(counting: Counting) -> None:
    answers = [await counting.get() for _ in range(5)]
    assert [answer.json()["calls"] for answer in answers] == [1, 2, 2, 2, 2]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5
    first, last = (dict(answer.headers) for answer in (answers[1], answers[-1]))
    assert {**first, "x-request-id": ""} == {**last, "x-request-id": ""}


async def test_whatever_was_committed_before_a_request_is_in_its_answer(
    counting: Counting, committed_database: Clone
) -> None:
    for number in range(20):
        assert (await counting.get()).json()["schools"] == number
        assert (await counting.get()).json()["schools"] == number
        await add_school(committed_database, 100_001 + number)
    # The first two and, after each commit, one.
    assert counting.calls == 21


async def test_what_is_rolled_back_or_still_open_changes_nothing(counting: Counting, committed_database: Clone) -> None:
    for _ in range(2):
        await counting.get()
    async with committed_database.admin() as admin, committed_database.admin() as other:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute("insert into academy.school (urn, name, status, updated_at) values (1, 'A', 'open', now())")
        assert (await counting.get()).json()["schools"] == 0
        assert (await other.fetchval("select count(*) from academy.school")) == 0
        await transaction.commit()
    assert (await counting.get()).json()["schools"] == 1


async def test_an_answer_is_for_the_very_token_and_query_alone(counting: Counting) -> None:
    for _ in range(3):
        await counting.get()
    assert counting.calls == 2
    await counting.get(issue_token(None, trust=OTHER_TRUST))
    await counting.get(params={"q": "a"})
    await counting.get(headers={"Accept": "application/json;q=0.5"})
    assert counting.calls == 5
    refused = await counting.get(params={"z": "a"})
    assert refused.status_code == 422
    assert (await counting.get("nonsense")).status_code == 401


async def test_a_key_takes_the_same_room_however_long_its_request_is(counting: Counting) -> None:
    long = "a" * 10_000
    for params, headers in (({}, {}), ({"q": long}, {}), ({}, {"Accept": f"application/json, text/{long}"})):
        for _ in range(2):
            assert (await counting.get(params=params, headers=headers)).status_code == 200
    answers = counting.app.state.tools.kept
    assert [len(key) for key in (*answers._seen, *answers._answers)] == [KEY_BYTES] * 6
    assert answers._bytes == sum(answer.size for answer in answers._answers.values())


def test_parts_of_a_request_are_kept_apart() -> None:
    assert request_key([b"ab", b"c"]) == request_key([b"ab", b"c"])
    assert len({request_key(parts) for parts in ([b"ab", b"c"], [b"a", b"bc"], [b"abc"], [b"abc", b""], [])}) == 5


async def test_a_reader_who_has_it_gets_304_and_a_head_has_no_body(counting: Counting) -> None:
    tag = (await counting.get()).headers["ETag"]
    asked = {"If-None-Match": tag}
    # Not from memory yet.
    assert (await counting.get(headers=asked)).status_code == 304
    await counting.get()
    before = counting.calls
    unchanged = await counting.get(headers=asked)
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", tag)
    assert "content-type" not in unchanged.headers
    assert (await counting.get(headers={"If-None-Match": '"another"'})).status_code == 200
    assert counting.calls == before
    head = await counting.get(method="HEAD")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_reader_who_always_sends_the_tag_makes_the_answer_once(
    counting: Counting, committed_database: Clone
) -> None:
    tag = (await counting.get()).headers["ETag"]
    for _ in range(4):
        assert (await counting.get(headers={"If-None-Match": tag})).status_code == 304
    assert counting.calls == 2
    whole = await counting.get()
    assert (whole.status_code, whole.json()["calls"], whole.headers["content-type"]) == (200, 2, "application/json")
    await add_school(committed_database, 100_001)
    changed = await counting.get(headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json()["schools"], counting.calls) == (200, 1, 3)


async def test_an_answer_is_kept_for_a_minute_at_most(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await counting.get()
    assert counting.calls == 2
    version = kept.KeptAnswers.version

    async def later(database: Database) -> kept.Version | None:
        found = await version(database)
        assert found is not None
        return kept.Version(found.snapshot, found.minute.replace(year=2099))

    monkeypatch.setattr(kept.KeptAnswers, "version", staticmethod(later))
    assert (await counting.get()).json()["calls"] == 3


async def test_one_makes_an_answer_while_others_wait_for_it(counting: Counting, committed_database: Clone) -> None:
    for number in range(3):
        await counting.get()
        before = counting.calls
        await add_school(committed_database, 100_001 + number)
        answers = await asyncio.gather(*(counting.get() for _ in range(10)))
        assert {answer.json()["schools"] for answer in answers} == {number + 1}
        assert counting.calls == before + 1


async def test_memory_is_bounded(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        await counting.get(params={"q": "z"})
    monkeypatch.setattr(kept, "MOST_BYTES", 2 * counting.app.state.tools.kept._bytes + 10)
    for q in "abc":
        for _ in range(2):
            await counting.get(params={"q": q})
    before = counting.calls
    await counting.get(params={"q": "c"})
    await counting.get(params={"q": "b"})
    assert counting.calls == before
    await counting.get(params={"q": "a"})
    assert counting.calls == before + 1


async def test_without_the_database_nothing_is_given(counting: Counting, committed_database: Clone) -> None:
    for _ in range(3):
        await counting.get()
    async with committed_database.away():
        assert (await counting.get()).status_code == 503
    assert (await counting.get()).status_code == 200


async def test_answers_of_an_earlier_version_take_no_room(
    counting: Counting, committed_database: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        await counting.get(params={"q": "z"})
    monkeypatch.setattr(kept, "MOST_BYTES", 2 * counting.app.state.tools.kept._bytes + 10)
    for q in "ab":
        for _ in range(2):
            await counting.get(params={"q": q})
    await add_school(committed_database, 100_001)
    for q in "cd":
        for _ in range(2):
            await counting.get(params={"q": q})
    before = counting.calls
    for q in "cd":
        await counting.get(params={"q": q})
    assert counting.calls == before


async def test_a_header_that_an_operation_reads_makes_another_answer(database: Database) -> None:
    app = feed_service(database)
    token = issue_token(None, scopes=["events:read", "ratings:read"])
    transport = httpx.ASGITransport(app)
    for number in range(3):
        await note(database, number)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers["Authorization"] = f"Bearer {token}"

        async def first(**headers: str) -> tuple[str, int]:
            answer = (await client.get(EVENTS, params={"limit": 1}, headers=headers)).json()
            return answer["next"], answer["items"][0]["data"]["number"]

        place, number = await first()
        assert number == 0
        for _ in range(2):
            assert await first() == (place, 0)
        # A reader that reconnects names its place in a header.
        for _ in range(3):
            assert (await first(**{"Last-Event-ID": place}))[1] == 1
        assert (await first())[1] == 0


async def test_readers_who_wait_for_events_arent_served_from_memory(database: Database) -> None:
    app = feed_service(database)
    token = issue_token(None, scopes=["events:read", "ratings:read"])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

        async def read(**parameters: Any) -> httpx.Response:
            return await client.get(EVENTS, params=parameters, headers={"Authorization": f"Bearer {token}"})

        place = (await read()).json()["next"]
        for _ in range(2):
            await read()
        assert app.state.tools.kept.given == 1
        for _ in range(3):
            assert (await read(after=place, wait=1)).json()["items"] == []
        waiting = asyncio.create_task(read(after=place, wait=20))
        await asyncio.sleep(0.2)
        await note(database, 1)
        assert len((await waiting).json()["items"]) == 1
        assert app.state.tools.kept.given == 1
        assert len((await read()).json()["items"]) == 1
