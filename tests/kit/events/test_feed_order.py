"""The order of the feed under many writers: nothing missed, nothing twice."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from kit.database.sessions import Context, Database
from kit.events.pages import START, Page, Position, Reader, read_page
from kit.events.recording import NewEvent, record_events
from tests.support.databases import Clone
from tests.support.feed import NOTED, NoteData
from tests.support.tokens import OTHER_TRUST, PROSPERE

WRITERS = 20
TRANSACTIONS = 40
TRUSTS = (PROSPERE, OTHER_TRUST)


class Told:
    """What the writers committed, and what a reader was given, by trust and number."""

    def __init__(self) -> None:
        self.committed: set[tuple[UUID, int]] = set()
        self.positions: list[Position] = []
        self.read: list[tuple[UUID, int]] = []

    def take(self, page: Page) -> None:
        """One page of a reader."""
        for position, event in page.events:
            self.positions.append(position)
            self.read.append((UUID(event["trust"]), int(event["subject"])))


async def write(database: Database, writer: int, committed: set[tuple[UUID, int]]) -> None:
    """Transactions of one to three events, of different length, a fifth of them rolled back."""
    chance = random.Random(writer)
    for turn in range(TRANSACTIONS):
        trust = chance.choice(TRUSTS)
        numbers = [writer * 10_000 + turn * 10 + n for n in range(chance.randint(1, 3))]
        keep = chance.random() >= 0.2
        async with database.session(Context(trust, None, "writer")) as session:
            for number in numbers:
                await record_events(session, [NewEvent(NOTED, str(number), None, NoteData(number=number))])
                await asyncio.sleep(chance.random() * 0.01)
            if not keep:
                await session.rollback()
        if keep:
            committed.update((trust, number) for number in numbers)


async def follow(reader: Reader, told: Told, is_over: Callable[[], bool], limit: int) -> None:
    """Page after page until the writers are done and the end is reached."""
    after = START
    while True:
        over = is_over()
        async with reader.database.connection(reader.context) as connection:
            page = await read_page(connection, reader, after, limit)
        told.take(page)
        after = page.after
        if not page.events:
            if over:
                return
            await asyncio.sleep(0.002)


@pytest.mark.timeout(120)
async def test_twenty_writers_with_rollbacks_nothing_missed_nothing_doubled(committed_database: Clone) -> None:
    writing = committed_database.of("academy", pool_size=WRITERS)
    reading = committed_database.new("academy")
    following = committed_database.of("academy", "follower")
    committed: set[tuple[UUID, int]] = set()
    writers_done = asyncio.Event()
    everybody = Context(PROSPERE, None, "follower")
    readers = {
        "follower": Reader(following, everybody, None, [NOTED.type]),
        **{str(trust): Reader(reading, Context(trust, None, "reader"), trust, [NOTED.type]) for trust in TRUSTS},
    }
    told = {name: Told() for name in readers}

    async def all_writers() -> None:
        await asyncio.gather(*(write(writing, writer, committed) for writer in range(WRITERS)))
        writers_done.set()

    work: list[Awaitable[None]] = [all_writers()]
    for limit, (name, reader) in zip((7, 50, 3), readers.items(), strict=True):
        work.append(follow(reader, told[name], writers_done.is_set, limit))
    try:
        await asyncio.gather(*work)
    finally:
        await reading.dispose()

    assert len(committed) > WRITERS * TRANSACTIONS
    for name, found in told.items():
        expected = committed if name == "follower" else {item for item in committed if str(item[0]) == name}
        assert set(found.read) == expected, f"{name} missed or made up events"
        assert len(found.read) == len(expected), f"{name} was given events twice"
        assert found.positions == sorted(found.positions)
