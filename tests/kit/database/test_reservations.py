"""Space that transactions under way have reserved: seen by every other, and given back however they end."""

import asyncio
from contextlib import suppress
from uuid import UUID

import pytest
from sqlalchemy import text

from kit.database.contexts import Context
from kit.database.reservations import reserve
from kit.database.sessions import Database
from kit.problems import ServiceUnavailable
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

KIB = 1024


async def reserved(database: Database, trust_id: UUID = PROSPERE, what: str = "academy/imports") -> int:
    """What others have reserved, for a transaction that needs nothing."""
    async with database.session(Context(trust_id, None, "test")) as session:
        return await reserve(session, what, trust_id, 0)


async def test_what_others_reserve_is_seen_by_each_process_until_they_end(committed_database: Clone) -> None:
    here, elsewhere = committed_database.of("academy"), committed_database.of("academy")
    context = Context(PROSPERE, None, "test")
    async with here.session(context) as first:
        assert await reserve(first, "academy/imports", PROSPERE, 10 * KIB) == 0
        async with elsewhere.session(context) as second:
            # The same size again, and one that is rounded up.
            assert await reserve(second, "academy/imports", PROSPERE, 10 * KIB) == 10 * KIB
            async with elsewhere.session(context) as third:
                assert await reserve(third, "academy/imports", PROSPERE, 1) == 20 * KIB
        assert await reserved(elsewhere) == 10 * KIB
        assert await reserved(elsewhere, OTHER_TRUST) == 0
        assert await reserved(elsewhere, PROSPERE, "academy/files") == 0
    assert await reserved(elsewhere) == 0


async def test_a_transaction_that_fails_gives_its_space_back(committed_database: Clone) -> None:
    database = committed_database.of("academy")

    async def fail() -> None:
        async with database.session(Context(PROSPERE, None, "test")) as session:
            await reserve(session, "academy/imports", PROSPERE, 3 << 30)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await reserved(database) == 0


async def test_a_transaction_that_is_cancelled_gives_its_space_back(committed_database: Clone) -> None:
    database = committed_database.of("academy")
    has_reserved = asyncio.Event()

    async def store() -> None:
        async with database.session(Context(PROSPERE, None, "test")) as session:
            await reserve(session, "academy/imports", PROSPERE, 3 << 30)
            has_reserved.set()
            await asyncio.Event().wait()

    storing = asyncio.create_task(store())
    await has_reserved.wait()
    assert await reserved(database) == 3 << 30
    storing.cancel()
    with suppress(asyncio.CancelledError):
        await storing
    # The database hears of it a moment later.
    async with asyncio.timeout(10), committed_database.admin() as admin:
        while await reserved(database):
            await admin.execute("select pg_sleep(0.01)")


async def test_a_process_that_is_killed_gives_its_space_back(committed_database: Clone) -> None:
    database = committed_database.of("academy")
    with suppress(ServiceUnavailable):
        async with database.session(Context(PROSPERE, None, "test")) as session:
            await reserve(session, "academy/imports", PROSPERE, 3 << 30)
            assert await reserved(database) == 3 << 30
            number = (await session.execute(text("select pg_backend_pid()"))).scalar_one()
            async with committed_database.admin() as admin:
                # It waits until the connection's process is gone.
                assert await admin.fetchval("select pg_terminate_backend($1, 10000)", number)
            assert await reserved(database) == 0
