"""Followers on real feeds: each event once and in order, whatever is killed; one process at a time."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from kit.database.sessions import Session
from kit.events.locks import Locks
from kit.events.progress import Side
from kit.events.read_models import ReadModel
from kit.events.sources import FollowedEvent
from tests.support.jobs import until
from tests.support.notes import (
    EVENTS,
    MODEL,
    NOTES,
    TRUSTS,
    Bell,
    World,
    apply_notes,
    reaches,
)
from tests.support.tokens import OTHER_TRUST, PROSPERE


class Broken(Exception):
    """Something in the middle of a page."""


async def test_every_trusts_events_are_applied_once_and_in_order(world: World) -> None:
    for number in range(10):
        await world.note(number, subject=f"notes/{number % 3}", trust=TRUSTS[number % 2])
    follower = world.follower()
    await follower.catch_up()
    assert await world.seen(PROSPERE) == {"notes/0": 6, "notes/1": 4, "notes/2": 8}
    assert await world.seen(OTHER_TRUST) == {"notes/0": 9, "notes/1": 7, "notes/2": 5}
    assert follower.lag.events == (await world.progress()).events == 10
    await follower.catch_up()
    assert (await world.progress()).events == 10


async def test_a_trust_sees_its_own_rows_only(world: World) -> None:
    await world.note(1, trust=OTHER_TRUST)
    await world.follower().catch_up()
    assert (await world.seen(PROSPERE), await world.seen(OTHER_TRUST)) == ({}, {"notes/1": 1})


async def test_a_page_that_fails_changes_nothing_and_is_applied_later(world: World) -> None:
    for number in range(3):
        await world.note(number)

    async def break_at_two(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
        await apply_notes(session, side, events[:2])
        raise Broken

    broken = ReadModel(call=EVENTS, consumer="notes", types=MODEL.types, tables=(NOTES,), apply=break_at_two)
    with pytest.raises(Broken):
        await world.follower(broken).step()
    assert (await world.seen(), (await world.progress()).cursor) == ({}, None)
    await world.follower().catch_up()
    assert await world.seen() == {"notes/0": 0, "notes/1": 1, "notes/2": 2}


KILLED = """
import asyncio, sys
from sqlalchemy import text
from kit.calls.declared import Call
from kit.database.sessions import Database
from kit.events.followers import Follower, FollowerTimings, SideEffects
from kit.events.locks import Locks
from kit.events.sources import FollowedPage, OwnSource
from kit.settings import ServiceSettings

kill_at = int(sys.argv[3])
database = Database(sys.argv[1], application_name="academy")
feed = Database(sys.argv[2], application_name="academy-follower", schema="academy")
settings = ServiceSettings(service="academy", env="test", database_url=sys.argv[1], secret_key="k" * 40)
types = ("org.trellis.academy.note.noted.v1",)

async def ring(session, event):
    await session.execute(
        text("insert into idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
             " values (:trust, 'bell', 'ring', :key, '', now())"),
        {"trust": event.trust, "key": str(event.data["number"])},
    )
    if event.data["number"] == kill_at:
        # In the middle of a page: its effect is written and not committed.
        print("stuck", flush=True)
        await asyncio.sleep(3600)

async def main():
    call = Call("academy", "event_list", FollowedPage, "/academy/v1/events")
    effects = SideEffects(call=call, consumer="bell", types=types, apply=ring)
    source = OwnSource(settings, feed, types)
    timings = FollowerTimings(page=5, wait=1, lock=0.1)
    await Follower(effects, source, database, Locks(database), timings=timings).run(asyncio.Event())

asyncio.run(main())
"""


@pytest.mark.slow
async def test_killed_in_the_middle_of_a_page_no_event_is_lost_or_doubled(world: World) -> None:
    for number in range(23):
        await world.note(number)
    urls = [world.clone.url(role) for role in ("academy_app", "academy_follower")]

    async def start(kill_at: int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            KILLED,
            *urls,
            str(kill_at),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )

    async def rung() -> int:
        async with world.clone.admin() as admin:
            return int(await admin.fetchval("select count(*) from academy.idempotency_key where client = 'bell'"))

    for kill_at in (7, 13):
        process = await start(kill_at)
        assert process.stdout is not None
        assert (await asyncio.wait_for(process.stdout.readline(), 30)).startswith(b"stuck")
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert await rung() == kill_at // 5 * 5
    process = await start(-1)
    try:
        # A second ring of one event would break the key and stop the follower for good.
        await until(reaches(rung, 23), 30)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def test_one_process_at_a_time_follows_and_another_takes_over(world: World) -> None:
    bell = Bell()
    first, second = world.follower(bell.effects()), world.follower(bell.effects())
    other_locks = Locks(world.clone.of("reporting", pool_size=8))
    second._locks = other_locks
    stop_first, stop_second = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(first.run(stop_first))
    await until(lambda: first.lag.is_active)
    waiting = asyncio.create_task(second.run(stop_second))
    for number in range(7):
        await world.note(number)
    await until(reaches(world.rung, 7))
    assert (first.lag.is_active, second.lag.is_active) == (True, False)
    # As when its process dies: the connection ends, and the lock with it.
    stop_first.set()
    await running
    await world.locks.aclose()
    await until(lambda: second.lag.is_active)
    await world.note(7)
    await until(reaches(world.rung, 8))
    stop_second.set()
    await waiting
    await other_locks.aclose()
    assert sorted(number for _, number in bell.rung) == list(range(8))


async def test_a_follower_that_lost_its_lock_applies_no_page_of_another(world: World) -> None:
    """Two that both believe to have the lock: the row decides."""
    for number in range(9):
        await world.note(number)
    bells = [Bell(), Bell()]
    pair = [world.follower(bell.effects()) for bell in bells]
    for _ in range(6):
        await asyncio.gather(*(follower.step() for follower in pair))
    assert await world.rung() == 9
    assert sorted(number for bell in bells for _, number in bell.rung)[:9] != []


async def test_a_waiting_follower_applies_what_comes_and_stops_at_once(world: World) -> None:
    follower = world.follower()
    stop = asyncio.Event()
    running = asyncio.create_task(follower.run(stop))
    await until(lambda: follower.lag.is_active)
    await world.note(1)

    async def is_seen() -> bool:
        return await world.seen() == {"notes/1": 1}

    await until(is_seen, 3)
    began = asyncio.get_running_loop().time()
    stop.set()
    await running
    assert asyncio.get_running_loop().time() - began < 0.9
