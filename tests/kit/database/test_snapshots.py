"""Whether anything was committed: one small query for all who ask at a time."""

import asyncio

import pytest
from sqlalchemy import text

from kit.database.sessions import Context, Database
from kit.ids import PLATFORM
from tests.support.databases import Clone


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


async def test_requests_of_a_moment_share_one_look(database: Database) -> None:
    first = await database.snapshots.current()
    assert database.snapshots.looks == 1
    found = await asyncio.gather(*(database.snapshots.current() for _ in range(50)))
    assert set(found) == {first}
    assert database.snapshots.looks <= 3


async def test_a_request_that_comes_during_a_look_waits_for_the_next(
    database: Database, committed_database: Clone
) -> None:
    """The one that is under way may have looked before what this one must see was committed."""
    await database.snapshots.current()
    for number in range(20):
        early = asyncio.ensure_future(database.snapshots.current())
        await asyncio.sleep(0)
        async with database.session(Context(PLATFORM, None, "test")) as session:
            await session.execute(text("select pg_current_xact_id()"))
        late = await database.snapshots.current()
        async with committed_database.admin() as admin:
            assert late == await admin.fetchval("select pg_current_snapshot()::text"), number
        await early
