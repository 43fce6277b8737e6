"""Prepared answers: quick, private to a token, right again within a second, gone with the token."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from kit import clock
from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context
from kit.identity.keys import StaticKeys
from kit.web import prepared as house_prepared
from kit.web.app import Service
from kit.web.request_keys import KEY_BYTES
from tests.kit.sample import STATE, reset, sample_client, sample_service
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token, signing_key

URL = "/sample/v1/polled"


@pytest_asyncio.fixture
async def polled() -> AsyncIterator[Service]:
    """A service as in production: a version counts for most of a second."""
    reset()
    yield sample_service(env="demo")


def change(app: Service | None = None, tenant: UUID = PROSPERE) -> None:
    """What the list says changes, in this process (`app`) or in another."""
    STATE["version"] += 1
    if app is not None:
        app.state.tools.prepared.forget(tenant)


async def version(client: httpx.AsyncClient, **headers: str) -> int:
    """What the list says."""
    answer = await client.get(URL, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'"v{answer.json()["id"]}"'
    found: int = answer.json()["id"]
    return found


async def test_answer_is_made_once_and_given_often(polled: Service) -> None:
    async with sample_client(polled) as client:
        first = await client.get(URL)
        others = [await client.get(URL) for _ in range(20)]
    assert STATE["made"] == 1
    for other in others:
        assert other.content == first.content
        assert {**other.headers, "x-request-id": ""} == {**first.headers, "x-request-id": ""}
    assert polled.state.tools.metrics.prepared == {"hit": 20, "not_modified": 0, "made": 1}


async def test_a_key_takes_the_same_room_however_long_its_request_is(polled: Service) -> None:
    async with sample_client(polled) as client:
        for accept in ("*/*", f"*/*, text/{'a' * 10_000}"):
            assert (await client.get(URL, headers={"Accept": accept})).status_code == 200
    assert [len(key) for key in polled.state.tools.prepared._answers] == [KEY_BYTES] * 2


async def test_reader_who_always_sends_the_tag_makes_the_answer_once(polled: Service) -> None:
    async with sample_client(polled) as client:
        for header in ('"v1"', 'W/"v1"', '"v0", W/"v1"', "*"):
            answer = await client.get(URL, headers={"If-None-Match": header})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"v1"')
            assert answer.headers["cache-control"] == "private, no-cache"
            assert "content-type" not in answer.headers
            assert "content-length" not in answer.headers
        assert await version(client, **{"If-None-Match": '"v2"'}) == 1
    assert STATE["made"] == 1


async def test_many_at_once_make_one_answer(polled: Service) -> None:
    async with sample_client(polled) as client:
        assert set(await asyncio.gather(*(version(client) for _ in range(30)))) == {1}
    assert STATE["made"] == 1


async def test_change_in_this_process_is_seen_at_once(polled: Service) -> None:
    async with sample_client(polled) as client:
        for expected in range(1, 6):
            assert await version(client) == expected
            assert await version(client) == expected
            change(polled)


async def test_change_in_another_process_is_seen_within_a_second(polled: Service) -> None:
    async with sample_client(polled) as client:
        for expected in (2, 3):
            await version(client)
            change()
            changed = time.monotonic()
            while await version(client) != expected:
                assert time.monotonic() - changed < 1
                await asyncio.sleep(0.01)


async def test_seldom_reader_sees_the_newest(polled: Service) -> None:
    async with sample_client(polled) as client:
        await version(client)
        change()
        await asyncio.sleep(house_prepared.OLDEST_SECONDS + 0.01)
        assert await version(client) == 2


async def test_change_while_the_answer_is_made_is_noticed(polled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is read before the answer, so an answer can only be newer than its version."""
    prepared = polled.state.tools.prepared
    watch = prepared.watch

    async def changing(*arguments: Any) -> None:
        await watch(*arguments)
        change()

    monkeypatch.setattr(prepared, "watch", changing)
    async with sample_client(polled) as client:
        assert await version(client) == 2
        monkeypatch.undo()
        await asyncio.sleep(house_prepared.OLDEST_SECONDS)
        assert await version(client) == 2


async def test_answers_belong_to_their_token(polled: Service) -> None:
    async with sample_client(polled) as one, sample_client(polled, trust=OTHER_TRUST) as other:
        mine = (await one.get(URL)).json()["name"]
        theirs = (await other.get(URL)).json()["name"]
        assert (mine, theirs) == (str(PROSPERE), str(OTHER_TRUST))
        assert (await one.get(URL)).json()["name"] == mine
    async with sample_client(polled, scopes=("things:write",)) as without_scope:
        assert (await without_scope.get(URL)).status_code == 403
    async with sample_client(polled, scopes=None) as nobody:
        assert (await nobody.get(URL)).status_code == 401
        assert (await nobody.get(URL, headers={"If-None-Match": '"v1"'})).status_code == 401


async def test_two_headers_never_get_a_prepared_answer(polled: Service) -> None:
    async with sample_client(polled, scopes=None) as client:
        token = issue_token(None, scopes=["things:read"])
        good = ("Authorization", f"Bearer {token}")
        assert (await client.get(URL, headers=[good])).status_code == 200
        assert (await client.get(URL, headers=[good, good])).status_code == 401
        assert (await client.get(URL, headers=[good, ("Authorization", "Bearer x")])).status_code == 401


async def test_answer_ends_with_its_token(polled: Service) -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with clock.frozen(start):
        client = sample_client(polled, lifetime=timedelta(seconds=60))
        assert (await client.get(URL)).status_code == 200
    with clock.frozen(start + timedelta(seconds=59)):
        assert (await client.get(URL)).status_code == 200
    with clock.frozen(start + timedelta(seconds=60)):
        assert (await client.get(URL)).status_code == 401
        assert (await client.get(URL, headers={"If-None-Match": '"v1"'})).status_code == 401
    await client.aclose()


async def test_answer_ends_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_prepared, "TOKEN_CHECK_SECONDS", 0.05)
    reset()
    keys = StaticKeys({"keys": [dict(signing_key().public)]})
    async with sample_client(sample_service(env="demo", keys=keys)) as client:
        assert await version(client) == 1
        keys.replace({"keys": []})
        await asyncio.sleep(0.06)
        assert (await client.get(URL)).status_code == 401


def test_key_that_is_revoked_is_refused_within_a_minute() -> None:
    """The age of the key set and the time between two looks at it."""
    assert house_prepared.TOKEN_CHECK_SECONDS < 30


async def test_without_a_version_nothing_is_kept(polled: Service) -> None:
    async def away(_: Context) -> str:
        raise DatabaseUnavailable

    polled.state.tools.prepared.route(URL, version=away)
    async with sample_client(polled) as client:
        for _ in range(3):
            assert await version(client) == 1
        assert (await client.get(URL, headers={"If-None-Match": '"v1"'})).status_code == 304
    assert STATE["made"] == 4


async def test_outage_ends_prepared_answers_and_its_end_brings_them_back(polled: Service) -> None:
    working = polled.state.tools.prepared._versions[URL]

    async def away(_: Context) -> str:
        raise ConnectionRefusedError

    async with sample_client(polled) as client:
        await version(client)
        for watched in polled.state.tools.prepared._watched.values():
            watched.version = away
            watched.forget()
        await version(client)
        assert STATE["made"] == 2
        for watched in polled.state.tools.prepared._watched.values():
            watched.version = working
        for _ in range(3):
            await version(client)
        assert STATE["made"] == 3


async def test_query_and_accept_have_answers_of_their_own(polled: Service) -> None:
    async with sample_client(polled) as client:
        await client.get(URL)
        assert (await client.get(f"{URL}?x=1")).status_code == 422
        await client.get(URL, headers={"Accept": "application/json"})
    assert STATE["made"] == 2


async def test_refusals_are_not_kept(polled: Service) -> None:
    async with sample_client(polled) as client:
        for _ in range(3):
            assert (await client.get(f"{URL}?x=1")).status_code == 422
    assert polled.state.tools.prepared._answers == {}


async def test_memory_is_bounded(polled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_prepared, "MOST_ANSWERS", 3)
    prepared = polled.state.tools.prepared
    size = 0
    for _ in range(8):
        async with sample_client(polled) as client:
            size = len((await client.get(URL)).content)
    assert len(prepared._answers) == 3
    assert prepared._bytes == 3 * size
    # All of one trust share what they watch.
    assert len(prepared._watched) == 1


async def test_bytes_are_bounded(polled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_prepared, "LARGEST_ANSWER_BYTES", 10)
    async with sample_client(polled) as client:
        for _ in range(3):
            assert await version(client) == 1
        assert (await client.get(URL, headers={"If-None-Match": '"v1"'})).status_code == 304
    assert polled.state.tools.prepared._answers == {}


async def test_answers_are_made_anew_after_a_minute(polled: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_prepared, "KEPT_SECONDS", 0.05)
    async with sample_client(polled) as client:
        await version(client)
        await asyncio.sleep(0.06)
        await version(client)
    assert STATE["made"] == 2


async def test_in_tests_every_answer_is_held_against_its_version(
    sample: Service, thing_client: httpx.AsyncClient
) -> None:
    """They change the database behind the service's back."""
    for expected in range(1, 5):
        assert await version(thing_client) == expected
        change()


async def test_readers_during_a_storm_of_changes_never_see_an_old_answer(polled: Service) -> None:
    async with sample_client(polled) as client:
        async with asyncio.TaskGroup() as tasks:
            done = asyncio.Event()

            async def changing() -> None:
                for _ in range(100):
                    change(polled)
                    await asyncio.sleep(0.002)
                done.set()

            async def reading() -> None:
                while not done.is_set():
                    before = STATE["version"]
                    assert await version(client) >= before
                    await asyncio.sleep(0)

            tasks.create_task(changing())
            for _ in range(5):
                tasks.create_task(reading())
        assert await version(client) == STATE["version"]
