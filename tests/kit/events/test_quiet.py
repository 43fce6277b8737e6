"""Quiet transactions don't hold the feed back, and what they record late is never missed."""

import asyncio
import random
from collections.abc import Awaitable

import asyncpg
import pytest
from sqlalchemy import text

from kit.database.sessions import Context, Database, Session
from kit.events.pages import START, Page, Position, Reader, read_page
from kit.events.quiet import record_late
from kit.events.recording import NewEvent, TransactionIsQuiet, record_events
from tests.support.databases import Clone
from tests.support.feed import ALL, NOTED, NoteData, note
from tests.support.jobs import until
from tests.support.tokens import OTHER_TRUST, PROSPERE


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


async def page(database: Database, after: Position = START) -> Page:
    """What a reader of one trust is given."""
    async with database.connection(ALL) as connection:
        return await read_page(connection, Reader(database, ALL, PROSPERE, [NOTED.type]), after, 100)


def numbers(found: Page) -> list[int]:
    """Which events a page has."""
    return [int(event["subject"].removeprefix("notes/")) for _, event in found.events]


async def write_something(session: Session) -> None:
    """A change, so that the transaction has a number that readers would wait for."""
    await session.execute(text("select pg_current_xact_id()"))


async def beyond_all(database: Database) -> Position:
    """A place after all events that are committed."""
    async with database.connection(ALL) as connection:
        row = await connection.fetchrow("select epoch, pg_current_xact_id()::text as xid from feed_epoch")
    assert row is not None
    return Position(row["epoch"], int(row["xid"]), 0)


async def record(session: Session, number: int) -> None:
    """One event."""
    await record_events(session, [NewEvent(NOTED, f"notes/{number}", None, NoteData(number=number))])


async def test_a_quiet_transaction_holds_nobody_back(database: Database) -> None:
    async with database.session(Context(OTHER_TRUST, None, "upload"), quiet=True) as long:
        await write_something(long)
        await note(database, 1)
        assert numbers(await page(database)) == [1]


async def test_an_ordinary_transaction_still_does_beside_a_quiet_one(database: Database) -> None:
    async with database.session(ALL, quiet=True) as quiet, database.session(ALL) as ordinary:
        await write_something(quiet)
        await write_something(ordinary)
        await note(database, 1)
        assert numbers(await page(database)) == []
    assert numbers(await page(database)) == [1]


async def test_a_quiet_transaction_may_not_record(database: Database) -> None:
    with pytest.raises(TransactionIsQuiet):
        async with database.session(ALL, quiet=True) as session:
            await record(session, 1)


async def test_what_is_recorded_late_comes_after_what_was_read(database: Database) -> None:
    async with database.session(ALL, quiet=True) as long:
        await write_something(long)
        await note(database, 1)
        before = await page(database)
        assert numbers(before) == [1]
        await record_late(long)
        await record(long, 2)
        await record(long, 3)
        # From here on readers wait for it, whatever others record.
        await note(database, 4)
        assert numbers(await page(database, before.after)) == []
    after = await page(database, before.after)
    assert sorted(numbers(after)) == [2, 3, 4]
    assert numbers(after).index(2) < numbers(after).index(3)


async def test_a_quiet_transaction_that_fails_leaves_nothing(database: Database) -> None:
    async with database.session(ALL, quiet=True) as long:
        await write_something(long)
        await record_late(long)
        await record(long, 1)
        await long.rollback()
    await note(database, 2)
    assert numbers(await page(database)) == [2]


async def test_an_ordinary_transaction_keeps_its_place(database: Database) -> None:
    async with database.session(ALL) as session:
        await record_late(session)
        await record(session, 1)
        own = (await session.execute(text("select pg_current_xact_id()::text"))).scalar_one()
    (position, _), *_ = (await page(database)).events
    assert position.xid == int(own)


async def test_whoever_waits_for_a_row_of_a_quiet_transaction_is_waited_for(
    database: Database, committed_database: Clone
) -> None:
    async with committed_database.admin() as admin:
        await admin.execute("create table academy.waited (n int); insert into academy.waited values (1)")
        await admin.execute("grant select, update on academy.waited to academy_app")
    async with database.session(ALL, quiet=True) as quiet:
        await quiet.execute(text("update academy.waited set n = 2"))

        async def wait_for_row() -> None:
            async with database.session(ALL) as session:
                await write_something(session)
                await record(session, 1)
                await session.execute(text("update academy.waited set n = 3"))

        waiting = asyncio.create_task(wait_for_row())
        async with committed_database.admin() as admin:
            await until(lambda: _somebody_waits(admin))
        await note(database, 2)
        assert numbers(await page(database)) == []
    await waiting
    assert sorted(numbers(await page(database))) == [1, 2]


async def _somebody_waits(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    found = await connection.fetchval("select exists (select from pg_locks where not granted)")
    return bool(found)


@pytest.mark.timeout(120)
async def test_many_quiet_and_ordinary_writers_nothing_missed_nothing_twice(committed_database: Clone) -> None:
    writing = committed_database.of("academy", pool_size=16)
    reading = committed_database.new("academy")
    committed: set[int] = set()
    read: list[int] = []
    positions: list[Position] = []
    done = asyncio.Event()

    async def write(writer: int) -> None:
        chance = random.Random(writer)
        for turn in range(25):
            quiet, keep = chance.random() < 0.5, chance.random() < 0.8
            number = writer * 1000 + turn
            async with writing.session(ALL, quiet=quiet) as session:
                await write_something(session)
                await asyncio.sleep(chance.random() * 0.02)
                await record_late(session)
                await asyncio.sleep(chance.random() * 0.01)
                await record(session, number)
                await asyncio.sleep(chance.random() * 0.01)
                if not keep:
                    await session.rollback()
            if keep:
                committed.add(number)

    async def follow() -> None:
        after, end = START, None
        while True:
            if done.is_set() and end is None:
                end = await beyond_all(reading)
            found = await page(reading, after)
            read.extend(numbers(found))
            positions.extend(position for position, _ in found.events)
            after = found.after
            # Other databases of this Postgres have transactions too, which readers wait for: an empty page is no end.
            if end is not None and found.reaches(end):
                return
            await asyncio.sleep(0)

    async def all_writers() -> None:
        await asyncio.gather(*(write(writer) for writer in range(16)))
        done.set()

    work: list[Awaitable[None]] = [all_writers(), follow()]
    try:
        await asyncio.gather(*work)
    finally:
        await reading.dispose()
    assert sorted(read) == sorted(committed)
    assert positions == sorted(positions)
