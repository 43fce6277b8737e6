"""Read models are made again beside their readers; side effects are not repeated."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from kit.database.sessions import Session
from kit.events.followers import FollowerTimings, ReadModelIsNewer
from kit.events.progress import Side
from kit.events.read_models import digest
from kit.events.sources import FollowedEvent
from kit.workers.rebuilding import main, rebuild
from reporting.definition import REPORTING
from tests.support.feed import raise_epoch
from tests.support.jobs import until
from tests.support.notes import (
    MODEL,
    NOTES,
    PLATFORM_CONTEXT,
    TRUSTS,
    Bell,
    NoteData,
    World,
    events_of,
    reaches,
)
from tests.support.tokens import OTHER_TRUST, PROSPERE


async def test_a_restored_feed_leads_to_a_rebuild(world: World) -> None:
    for number in range(4):
        await world.note(number)
    follower = world.follower()
    await follower.catch_up()
    await raise_epoch(world.clone.admin_url, ["academy"])
    async with world.clone.admin() as admin:
        # What the backup didn't hold any more.
        await admin.execute("delete from academy.event where subject = 'notes/3'")
    await world.note(9, trust=OTHER_TRUST)
    await follower.catch_up()
    assert (await world.seen(PROSPERE), await world.seen(OTHER_TRUST)) == (
        {f"notes/{number}": number for number in range(3)},
        {"notes/9": 9},
    )
    progress = await world.progress()
    assert (progress.rebuilds, progress.side, progress.is_rebuilding) == (1, "b", False)
    assert await world.rows() == {"a": 0, "b": 4}


async def test_a_cursor_of_another_key_leads_to_a_rebuild(world: World) -> None:
    await world.note(1)
    follower = world.follower()
    await follower.catch_up()
    async with world.clone.admin() as admin:
        await admin.execute("update reporting.follower set cursor = 'c29tZSBwbGFjZQ' where consumer = 'notes'")
    await follower.catch_up()
    assert (await world.progress()).rebuilds == 1
    assert await world.seen() == {"notes/1": 1}


async def test_side_effects_are_not_repeated_after_a_restore_or_a_rebuild(world: World) -> None:
    bell = Bell()
    ringing, building = world.follower(bell.effects()), world.follower()
    for number in range(5):
        await world.note(number)
    await ringing.catch_up()
    await building.catch_up()
    rebuilt = await rebuild(world.reporting, world.calls, MODEL)
    assert rebuilt.is_equal
    await ringing.catch_up()
    assert (await world.progress(bell.effects().place)).rebuilds == 0
    assert len(bell.rung) == 5
    await raise_epoch(world.clone.admin_url, ["academy"])
    await world.note(5)
    await ringing.catch_up()
    assert [number for _, number in bell.rung] == list(range(6))
    await world.note(6)
    await ringing.catch_up()
    assert len(bell.rung) == 7
    assert (await world.progress(bell.effects().place)).skip_until is None


async def test_side_effects_may_begin_with_what_comes(world: World) -> None:
    bell = Bell()
    await world.note(1)
    ringing = world.follower(bell.effects(begins="now"))
    await ringing.catch_up()
    await world.note(2)
    await ringing.catch_up()
    assert [number for _, number in bell.rung] == [2]


async def test_a_rebuild_gives_the_same_from_nothing(world: World) -> None:
    for number in range(11):
        await world.note(number, subject=f"notes/{number % 4}", trust=TRUSTS[number % 2])
    await world.follower().catch_up()
    before = await digest(world.reporting, MODEL)
    rebuilt = await rebuild(world.reporting, world.calls, MODEL)
    assert rebuilt.before == rebuilt.after == before
    # The hash isn't of nothing: another row, another hash.
    await world.note(12)
    await world.follower().catch_up()
    assert await digest(world.reporting, MODEL) != before


async def test_readers_see_one_side_or_the_other_and_never_half(world: World) -> None:
    for number in range(12):
        await world.note(number)
    await world.follower().catch_up()
    async with world.clone.admin() as admin:
        # The model was wrong; the rebuild mends it, all rows in one moment.
        await admin.execute("update reporting.seen_note_a set number = -1")
    wrong, right = {-1}, set(range(12))
    views: list[tuple[int, frozenset[int]]] = []
    done = asyncio.Event()

    async def look() -> None:
        while not done.is_set():
            seen = await world.seen()
            views.append((len(seen), frozenset(seen.values())))

    looking = asyncio.create_task(look())
    await until(lambda: len(views) > 3)
    follower = world.follower()
    async with world.reporting.session(PLATFORM_CONTEXT) as session:
        await MODEL.place.want_rebuild(session)
    await follower.catch_up()
    await until(lambda: views[-1][1] == right)
    done.set()
    await looking
    assert {size for size, _ in views} == {12}
    assert {values for _, values in views} == {frozenset(wrong), frozenset(right)}


async def test_a_rebuild_that_was_killed_goes_on_where_it_was(world: World) -> None:
    for number in range(8):
        await world.note(number)
    await world.follower().catch_up()
    async with world.reporting.session(PLATFORM_CONTEXT) as session:
        await MODEL.place.want_rebuild(session)
    await world.follower().step()
    half = await world.progress()
    assert (half.is_rebuilding, half.side, await world.rows()) == (True, "a", {"a": 8, "b": 3})
    assert len(await world.seen()) == 8
    await world.follower().catch_up()
    assert (await world.progress()).rebuilds == 1
    assert await world.rows() == {"a": 0, "b": 8}


async def test_the_running_follower_rebuilds_when_somebody_wants_it(world: World) -> None:
    for number in range(5):
        await world.note(number)
    follower = world.follower(timings=FollowerTimings(page=3, wait=20.0, lock=0.1))
    stop = asyncio.Event()
    running = asyncio.create_task(follower.run(stop))
    await until(reaches(events_of(world), 5))
    other = world.clone.new("reporting")
    try:
        rebuilt = await asyncio.wait_for(rebuild(other, world.calls, MODEL), 10)
    finally:
        await other.dispose()
    assert rebuilt.is_equal
    stop.set()
    await running


async def test_the_janitor_empties_only_the_side_that_nobody_reads(world: World) -> None:
    await world.note(1)
    await world.follower().catch_up()
    async with world.reporting.session(PLATFORM_CONTEXT) as session:
        await session.execute(text("set local role reporting_janitor"))
        await session.execute(text("delete from seen_note_a"))
        for statement in ("select subject from seen_note_a", "update seen_note_a set number = 1"):
            with pytest.raises(Exception, match="permission denied"):
                async with session.begin_nested():
                    await session.execute(text(statement))
    assert await world.seen() == {"notes/1": 1}


async def test_another_version_of_a_model_is_built_by_itself_and_left_alone_by_older_code(world: World) -> None:
    async def apply_tens(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
        for event in events:
            row = {"trust_id": event.trust, "subject": event.subject, "number": event.read(NoteData).number * 10}
            await NOTES.put(session, side, [{**row, "event": event.id}])

    await world.note(1)
    await world.note(2)
    await world.follower().catch_up()
    newer = replace(MODEL, apply=apply_tens, version=2)
    await world.follower(newer).catch_up()
    assert await world.seen() == {"notes/1": 10, "notes/2": 20}
    assert (await world.progress()).rebuilds == 1
    await world.note(3)
    with pytest.raises(ReadModelIsNewer):
        await world.follower().step()
    await world.follower(newer).catch_up()
    assert (await world.seen())["notes/3"] == 30
    assert (await world.progress()).rebuilds == 1


def test_a_model_that_there_isnt_cant_be_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rebuild", "nothing"])
    with pytest.raises(SystemExit, match="2"):
        main(REPORTING)
