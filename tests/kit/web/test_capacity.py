"""How many requests run at once, whose turn is next, and when one is refused."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter

from kit.web import capacity
from kit.web.app import Service, create_service
from kit.web.capacity import Capacity, Leave, Overloaded, TooManyAtOnce, Whose
from kit.web.security import CallerDep
from tests.support.clients import settings_of
from tests.support.jobs import until
from tests.support.tokens import OTHER_TRUST, PROSPERE, issue_token, trusted_keys

# Eight connections, two of them spare: six at once, three of a trust, two of a token.
CONNECTIONS = 8
# Nobody's time runs out.
PATIENT = 60.0


def own(token: str = "own") -> Whose:
    """A request of one trust."""
    return Whose(PROSPERE, token)


def other(token: str = "other") -> Whose:
    """A request of another trust."""
    return Whose(OTHER_TRUST, token)


async def settle() -> None:
    """Let everybody go as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Row:
    """Requests that note the order in which they had their turns."""

    def __init__(self, of: Capacity) -> None:
        self._of = of
        self.order: list[str] = []
        self.leaving: list[Leave] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, name: str, one: Whose) -> None:
        """A request comes."""

        async def wait() -> None:
            leave = await self._of.enter(one)
            self.order.append(name)
            self.leaving.append(leave)

        self.tasks.append(asyncio.create_task(wait()))
        await settle()

    async def leave_one_by_one(self) -> None:
        """Everybody who runs leaves, also those whose turn comes meanwhile."""
        while self.leaving:
            self.leaving.pop(0)()
            await settle()


async def test_one_trust_leaves_room_for_others_and_one_token_for_others_of_its_trust() -> None:
    turns = Capacity(CONNECTIONS, wait_seconds=PATIENT)
    row = Row(turns)
    for number in range(10):
        await row.come(f"a{number}", own("a"))
    assert turns.running == 2
    for number in range(10):
        await row.come(f"b{number}", own("b"))
    assert turns.running == 3
    for number in range(10):
        await row.come(f"c{number}", other())
    assert (turns.running, turns.waiting) == (5, 25)
    await row.leave_one_by_one()
    assert (turns.running, turns.waiting) == (0, 0)
    assert len(row.order) == 30


async def test_turns_go_from_trust_to_trust_and_from_token_to_token() -> None:
    row = Row(Capacity(3, wait_seconds=PATIENT))
    await row.come("first", own("a"))
    for number in range(5):
        await row.come(f"a{number}", own("a"))
    await row.come("b", own("b"))
    await row.come("other", other())
    await row.leave_one_by_one()
    assert row.order == ["first", "a0", "other", "b", "a1", "a2", "a3", "a4"]


async def test_the_newest_go_first_when_the_oldest_has_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(capacity, "HANDFUL", 1)
    row = Row(Capacity(3, wait_seconds=PATIENT))
    for name in ("first", "a0", "a1", "a2"):
        await row.come(name, own())
    await row.leave_one_by_one()
    assert row.order == ["first", "a2", "a1", "a0"]


async def test_who_had_no_turn_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "OWN_WAIT_SECONDS", 0.04)
    turns = Capacity(CONNECTIONS, wait_seconds=0.02)
    leaving = [await turns.enter(own("a")) for _ in range(2)]
    with pytest.raises(TooManyAtOnce):
        await turns.enter(own("a"))
    leaving += [await turns.enter(one) for one in (own("b"), other(), other(), Whose(UUID(int=2), "x"))]
    with pytest.raises(Overloaded) as refused:
        await turns.enter(Whose(UUID(int=1), "x"))
    assert refused.value.headers["Retry-After"] == "1"
    assert (turns.running, turns.waiting, turns.refused) == (6, 0, 2)
    for leave in [*leaving, *leaving]:
        # Twice does no harm.
        leave()
    assert turns.running == 0


async def test_a_caller_that_goes_away_gives_its_turn_on() -> None:
    turns = Capacity(3, wait_seconds=PATIENT)
    row = Row(turns)
    await row.come("first", own())
    await row.come("gone", own("gone"))
    gone = row.tasks[-1]
    await row.come("next", other())
    row.leaving.pop()()
    gone.cancel()
    await settle()
    await row.leave_one_by_one()
    assert row.order in (["first", "next"], ["first", "gone", "next"])
    assert (turns.running, turns.waiting) == (0, 0)


async def test_of_a_handful_the_oldest_goes_first_however_long_it_has_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "LONG_SECONDS", 0.0)
    row = Row(Capacity(3, wait_seconds=PATIENT))
    for name in ("first", "a0", "a1", "a2"):
        await row.come(name, own())
    await row.leave_one_by_one()
    assert row.order == ["first", "a0", "a1", "a2"]


async def test_a_handful_behind_its_own_waits_longer_and_a_flood_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "OWN_WAIT_SECONDS", PATIENT)
    monkeypatch.setattr(capacity, "HANDFUL", 2)
    turns = Capacity(CONNECTIONS, wait_seconds=0.01)
    row = Row(turns)
    for name in ("first", "second", "a0", "a1"):
        await row.come(name, own())
    with pytest.raises(TooManyAtOnce):
        await turns.enter(own())
    assert turns.waiting == 2
    await row.leave_one_by_one()
    assert row.order == ["first", "second", "a0", "a1"]


async def test_a_flood_is_refused_by_its_header_until_fewer_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "MOST_OF_TOKEN", 2)
    turns = Capacity(3, wait_seconds=PATIENT)
    leaves = [await turns.enter(own(), sender=b"Bearer own")]
    waiting = [asyncio.create_task(turns.enter(own(), sender=b"Bearer own")) for _ in range(2)]
    await settle()
    turns.refuse_flood(b"Bearer own")
    with pytest.raises(TooManyAtOnce):
        await turns.enter(own(), sender=b"Bearer own")
    with pytest.raises(TooManyAtOnce) as refused:
        turns.refuse_flood(b"Bearer own")
    assert refused.value.headers["Retry-After"] == "1"
    turns.refuse_flood(b"Bearer other")
    turns.refuse_flood(b"")
    leaves.pop()()
    leaves.append(await waiting.pop(0))
    turns.refuse_flood(b"Bearer own")
    assert turns.refused == 2
    leaves.pop()()
    (await waiting.pop(0))()


async def test_of_a_flood_nobody_waits_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "MOST_OF_TOKEN", 1)
    turns = Capacity(CONNECTIONS, wait_seconds=0.05)
    leaving = [await turns.enter(own()) for _ in range(2)]
    waiting = asyncio.create_task(turns.enter(own()))
    await settle()
    with pytest.raises(TooManyAtOnce):
        await turns.enter(own())
    began = time.monotonic()
    with pytest.raises(TooManyAtOnce):
        await waiting
    assert time.monotonic() - began < capacity.OWN_WAIT_SECONDS / 2
    for leave in leaving:
        leave()


async def test_who_has_waited_already_waits_no_longer() -> None:
    turns = Capacity(1, wait_seconds=PATIENT)
    leave = await turns.enter(own())
    with pytest.raises(Overloaded):
        await turns.enter(own(), since=time.monotonic() - PATIENT)
    leave()
    # A turn that is free is nobody's.
    (await turns.enter(own(), since=time.monotonic() - PATIENT))()


async def test_beyond_what_may_wait_refusals_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "MOST_WAITING", 2)
    turns = Capacity(1, wait_seconds=PATIENT)
    row = Row(turns)
    for number in range(3):
        await row.come(str(number), own())
    with pytest.raises(Overloaded):
        await turns.enter(other())
    await row.leave_one_by_one()


class Slow:
    """A service with an operation that takes as long as the test likes."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.calls = 0
        router = APIRouter(tags=["slow"])

        @router.get("/slow", operation_id="slow_view", summary="Slow")
        async def slow_view(_: CallerDep) -> dict[str, int]:
            """Waits."""
            self.calls += 1
            await self.go_on.wait()
            return {"calls": self.calls}

        @router.get("/open", operation_id="open_view", summary="Open")
        async def open_view() -> dict[str, int]:
            """Waits, and needs no token."""
            self.calls += 1
            await self.go_on.wait()
            return {"calls": self.calls}

        self.app: Service = create_service(
            settings_of("academy", "postgresql://nobody@127.0.0.1:1/nothing"),
            title="Slow",
            description="Slow.",
            routers=[router],
            keys=trusted_keys(),
        )

    async def get(self, path: str = "/academy/v1/slow", **claims: Any) -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {issue_token(None, **claims)}"}
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """The service."""
    service = Slow()
    yield service
    service.go_on.set()


async def test_a_service_refuses_what_it_cant_answer_and_stays_alive(slow: Slow) -> None:
    many = [asyncio.create_task(slow.get(trust=UUID(int=1 + number % 2))) for number in range(40)]
    await until(lambda: slow.calls == 6, 5)
    assert (await slow.get("/healthz")).status_code == 200
    refused = await slow.get()
    assert (refused.status_code, refused.json()["code"]) == (503, "service-unavailable")
    assert refused.headers["Retry-After"] == "1"
    slow.go_on.set()
    statuses = [(await one).status_code for one in many]
    assert set(statuses) == {200, 503}
    assert slow.calls == statuses.count(200) == 6
    numbers = (await slow.get("/metrics")).text
    assert 'trellis_http_requests_refused_total{service="academy"} 35.0' in numbers
    assert (await slow.get()).status_code == 200


async def test_a_trust_with_too_many_requests_leaves_another_alone(slow: Slow) -> None:
    many = [asyncio.create_task(slow.get()) for _ in range(20)]
    await until(lambda: slow.calls == 3, 5)
    alone = asyncio.create_task(slow.get(trust=OTHER_TRUST))
    await until(lambda: slow.calls == 4, 5)
    refused = await asyncio.gather(*many[3:])
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "too-many-requests")}
    slow.go_on.set()
    assert (await alone).status_code == 200
    await asyncio.gather(*many)


async def test_requests_without_a_token_share_no_turns(slow: Slow) -> None:
    """Strangers can keep neither callers nor each other from signing in."""
    many = [asyncio.create_task(slow.get("/academy/v1/open")) for _ in range(20)]
    await until(lambda: slow.calls == 20, 5)
    alone = asyncio.create_task(slow.get())
    await until(lambda: slow.calls == 21, 5)
    slow.go_on.set()
    assert {(await one).status_code for one in [*many, alone]} == {200}
