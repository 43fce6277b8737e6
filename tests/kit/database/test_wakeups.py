"""Hints between processes: quick when they arrive, harmless when they are lost."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest_asyncio

from kit.database.sessions import Database
from kit.database.wakeups import Wakeups
from tests.support.databases import Clone
from tests.support.jobs import until


@pytest_asyncio.fixture
async def pair(committed_database: Clone) -> AsyncIterator[tuple[Database, Database]]:
    """The same database as two processes see it."""
    here, there = committed_database.new("academy"), committed_database.new("academy")
    yield here, there
    await here.dispose()
    await there.dispose()


async def deaf_no_more(wakeups: Wakeups) -> None:
    """Wait until hints of others reach it."""
    await until(lambda: wakeups.hears, 5)
    await asyncio.sleep(0.1)


async def test_a_hint_of_this_process_needs_no_database() -> None:
    async def nowhere() -> object:
        raise ConnectionRefusedError

    wakeups = Wakeups(nowhere)  # type: ignore[arg-type]
    with wakeups.waiting("a") as waiter:
        wakeups.poke("a")
        assert await waiter.wait(1)
        assert not await waiter.wait(0.05)
        wakeups.poke("b")
        assert not await waiter.wait(0.05)
        assert not waiter.hears
    await wakeups.close()


async def test_a_hint_reaches_another_process_at_once(pair: tuple[Database, Database]) -> None:
    here, there = pair
    with there.wakeups.waiting("a") as waiter:
        await deaf_no_more(there.wakeups)
        await waiter.wait(0.2)
        began = time.monotonic()
        here.wakeups.poke("a")
        assert await waiter.wait(5)
        assert time.monotonic() - began < 1


async def test_a_hint_before_the_wait_isnt_lost(pair: tuple[Database, Database]) -> None:
    """What is told while a reader looks is there when it begins to wait."""
    here, _ = pair
    with here.wakeups.waiting("a") as waiter:
        here.wakeups.poke("a")
        await asyncio.sleep(0.05)
        assert await waiter.wait(0)


async def test_many_commits_share_one_notice(pair: tuple[Database, Database]) -> None:
    here, there = pair
    heard = 0

    def count(*_: object) -> None:
        nonlocal heard
        heard += 1

    listener = await there.connect()
    await listener.add_listener("a", count)
    for _ in range(500):
        here.wakeups.poke("a")
        await asyncio.sleep(0)
    await asyncio.sleep(0.5)
    await listener.close()
    assert 1 <= heard < 50


async def test_who_lost_its_connection_listens_again(
    pair: tuple[Database, Database], committed_database: Clone
) -> None:
    here, there = pair
    with there.wakeups.waiting("a") as waiter:
        await deaf_no_more(there.wakeups)
        async with committed_database.away():
            await asyncio.sleep(0.1)
            here.wakeups.poke("a")
            assert not there.wakeups.hears
        await asyncio.sleep(1.2)
        await deaf_no_more(there.wakeups)
        await waiter.wait(0.3)
        here.wakeups.poke("a")
        assert await waiter.wait(5)


async def test_after_closing_hints_stay_within_the_process(committed_database: Clone) -> None:
    database = committed_database.new("academy")
    await database.dispose()
    with database.wakeups.waiting("a") as waiter:
        database.wakeups.poke("a")
        assert await waiter.wait(0.1)
        assert not await waiter.wait(0.1)
        assert not waiter.hears
