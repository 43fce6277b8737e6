"""Scheduled work: queued once for each time and each trust, however many look and however often."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from kit import clock
from kit.database.sessions import Connection, Database
from kit.jobs.schedules import Schedules, TenantsUnknown, last_due
from kit.jobs.tasks import JobRun, Tasks
from kit.workers.worker import Worker
from tests.support.databases import Clone
from tests.support.jobs import ALL, statuses, until, working
from tests.support.tokens import OTHER_TRUST, PROSPERE

NIGHTLY = "20 0 * * *"
EVENING = datetime(2026, 3, 1, 20, tzinfo=UTC)


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


async def trusts(connection: Connection) -> Sequence[UUID]:
    """Two trusts."""
    assert await connection.fetchval("select current_user") == "academy_janitor"
    return [PROSPERE, OTHER_TRUST]


class Nights:
    """Tasks that are due every night: one for each trust, and one for all."""

    def __init__(self, cron: str = NIGHTLY) -> None:
        self.tasks = Tasks()
        self.seen: list[UUID | None] = []
        self.tasks.scheduled("academy.tests.sweep", cron=cron, per_trust=True)(self.sweep)
        self.tasks.scheduled("academy.tests.tidy", cron=cron)(self.tidy)

    async def sweep(self, _run: JobRun, trust_id: UUID) -> None:
        """One trust's."""
        self.seen.append(trust_id)

    async def tidy(self, _run: JobRun) -> None:
        """That of all."""
        self.seen.append(None)

    def schedules(self) -> Schedules:
        """As a worker that has just started has them."""
        return Schedules("academy", [self.tasks], trusts)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (datetime(2026, 3, 2, 0, 19, 59, 999_999, tzinfo=UTC), datetime(2026, 3, 1, 0, 20, tzinfo=UTC)),
        (datetime(2026, 3, 2, 0, 20, tzinfo=UTC), datetime(2026, 3, 2, 0, 20, tzinfo=UTC)),
        (datetime(2026, 3, 2, 0, 20, 0, 1, tzinfo=UTC), datetime(2026, 3, 2, 0, 20, tzinfo=UTC)),
        (datetime(2026, 3, 2, 23, 59, tzinfo=UTC), datetime(2026, 3, 2, 0, 20, tzinfo=UTC)),
    ],
)
def test_due_is_the_last_time_that_has_come(now: datetime, due: datetime) -> None:
    assert last_due(NIGHTLY, now) == due


async def test_each_trust_gets_its_job(database: Database) -> None:
    nights = Nights()
    with clock.frozen(EVENING):
        assert await nights.schedules().tick(database) == 3
    await Worker("academy", [nights.tasks], {"app": database}, tenants=trusts).drain()
    assert set(nights.seen) == {PROSPERE, OTHER_TRUST, None}
    assert await statuses(database) == ["succeeded"] * 3


async def test_another_look_queues_nothing_again(database: Database) -> None:
    schedules = Nights().schedules()
    with clock.frozen(EVENING):
        assert await schedules.tick(database) == 3
        assert await schedules.tick(database) == 0
        # Nor does a worker that was started anew.
        assert await Nights().schedules().tick(database) == 0
    with clock.frozen(EVENING + timedelta(hours=4, minutes=19)):
        assert await schedules.tick(database) == 0
    with clock.frozen(EVENING + timedelta(hours=4, minutes=20)):
        assert await schedules.tick(database) == 3


async def test_two_workers_queue_each_once(database: Database) -> None:
    with clock.frozen(EVENING):
        counts = await asyncio.gather(*(Nights().schedules().tick(database) for _ in range(4)))
    assert sum(counts) == 3
    assert len(await statuses(database)) == 3


async def test_a_service_that_was_down_catches_up_once(database: Database) -> None:
    nights = Nights()
    with clock.frozen(EVENING):
        await nights.schedules().tick(database)
    with clock.frozen(EVENING + timedelta(days=5)):
        assert await nights.schedules().tick(database) == 3
        assert await nights.schedules().tick(database) == 0


async def test_a_worker_looks_by_itself(database: Database) -> None:
    nights = Nights("* * * * *")
    async with working(database, nights.tasks, tenants=trusts):
        await until(lambda: {PROSPERE, OTHER_TRUST, None} <= set(nights.seen))


async def test_nothing_is_queued_when_listing_the_trusts_fails(database: Database) -> None:
    async def broken(connection: Connection) -> Sequence[UUID]:
        await connection.fetch("select trust_id from moderation")
        raise AssertionError

    nights = Nights()
    with clock.frozen(EVENING):
        with pytest.raises(Exception, match="permission denied"):
            await Schedules("academy", [nights.tasks], broken).tick(database)
        async with database.connection(ALL) as connection:
            assert await connection.fetchval("select count(*) from procrastinate_jobs where args <> '{}'") == 0
        # It is still due.
        assert await nights.schedules().tick(database) == 3


def test_schedules_for_each_trust_need_what_lists_the_trusts(database: Database) -> None:
    with pytest.raises(TenantsUnknown, match=r"academy\.tests\.sweep"):
        Worker("academy", [Nights().tasks], {"app": database})
