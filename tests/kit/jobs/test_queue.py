"""Jobs: queued with the change that needs them, tried again, in order."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from kit import clock
from kit.database.sessions import Database
from kit.jobs.queue import defer
from kit.jobs.tasks import JobRun, Retries, Tasks
from kit.workers.worker import Worker, WorkerTimings
from tests.support.databases import Clone
from tests.support.jobs import ALL, Notes, all_in, statuses, until, working
from tests.support.tokens import PROSPERE


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


async def test_a_job_runs_with_the_ids_that_it_was_given(database: Database) -> None:
    notes = Notes()
    trust = uuid4()
    async with database.session(ALL) as session:
        await defer(session, "academy.tests.note", trust_id=trust, number=None)
        await defer(session, "academy.tests.note", trust_id=trust, number=7)
    await Worker("academy", [notes.tasks], {"app": database}).drain()
    assert notes.seen == [(trust, None), (trust, 7)]
    assert await statuses(database) == ["succeeded", "succeeded"]


async def test_a_job_of_a_transaction_that_failed_never_was(database: Database) -> None:
    async def fail() -> None:
        async with database.session(ALL) as session:
            await defer(session, "academy.tests.note", trust_id=PROSPERE)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert await statuses(database) == []


async def test_queueing_doesnt_notify_inside_the_transaction(committed_database: Clone) -> None:
    async with committed_database.admin() as admin:
        triggers = await admin.fetch(
            "select p.proname from pg_trigger t join pg_proc p on p.oid = t.tgfoid"
            " where not t.tgisinternal and p.prosrc ilike '%pg_notify%'"
        )
    assert triggers == []


async def test_a_waiting_worker_is_woken_after_the_commit(database: Database, committed_database: Clone) -> None:
    notes = Notes()
    lazy = WorkerTimings(poll=60, heartbeat=5, graceful=2)

    async def is_listening() -> bool:
        async with committed_database.admin() as admin:
            asked = "select count(*) from pg_stat_activity where query ilike 'listen%' and datname = current_database()"
            return bool(await admin.fetchval(asked))

    async with working(database, notes.tasks, lazy):
        await until(is_listening)
        async with database.session(ALL) as session:
            await defer(session, "academy.tests.note", trust_id=PROSPERE, number=1)
        await until(lambda: notes.seen, 5)


async def test_a_failed_job_is_tried_again_after_a_pause(database: Database) -> None:
    tasks = Tasks()
    attempts: list[int] = []

    @tasks.task("academy.tests.fail", retries=Retries(attempts=3, first_pause=timedelta(milliseconds=20)))
    async def fail(run: JobRun) -> None:
        attempts.append(run.attempt)
        if run.attempt < 3:
            raise ValueError("not yet")

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.fail")
    async with working(database, tasks):
        await until(lambda: len(attempts) == 3)
        await until(lambda: all_in(database, "succeeded"))
    assert attempts == [1, 2, 3]


async def test_a_job_that_always_fails_ends_as_failed(database: Database) -> None:
    tasks = Tasks()

    @tasks.task("academy.tests.fail", retries=Retries(attempts=2, first_pause=timedelta(milliseconds=10)))
    async def fail(run: JobRun) -> None:
        raise ValueError("never")

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.fail")
    async with working(database, tasks):
        await until(lambda: all_in(database, "failed"))


def test_pauses_double_up_to_a_limit() -> None:
    retries = Retries(attempts=5, first_pause=timedelta(seconds=4), longest_pause=timedelta(seconds=10))
    pauses = [retries.pause(attempts) for attempts in range(1, 6)]
    assert pauses[-1] is None
    for pause, middle in zip(pauses[:-1], (4, 8, 10, 10), strict=True):
        assert pause is not None
        assert 0.75 * middle <= pause.total_seconds() <= 1.25 * middle


async def test_jobs_with_one_lock_run_one_after_another(database: Database) -> None:
    tasks = Tasks()
    inside = 0
    order: list[int] = []

    @tasks.task("academy.tests.locked")
    async def locked(run: JobRun, number: int) -> None:
        nonlocal inside
        inside += 1
        assert inside == 1
        await asyncio.sleep(0.05)
        order.append(number)
        inside -= 1

    async with database.session(ALL) as session:
        for number in range(4):
            await defer(session, "academy.tests.locked", lock="one trust", number=number)
    async with working(database, tasks, queues={"default": 4}):
        await until(lambda: len(order) == 4)
    assert order == [0, 1, 2, 3]


async def test_a_job_waits_for_its_time(database: Database) -> None:
    notes = Notes()
    async with database.session(ALL) as session:
        await defer(session, "academy.tests.note", at=clock.now() + timedelta(hours=1), trust_id=PROSPERE, number=1)
    await Worker("academy", [notes.tasks], {"app": database}).drain()
    assert notes.seen == []
    assert await statuses(database) == ["todo"]


async def test_a_moved_clock_moves_the_times_of_jobs(database: Database) -> None:
    """The database, whose clock stays, compares them."""
    notes = Notes()
    clock.move(timedelta(days=60))
    try:
        async with database.session(ALL) as session:
            await defer(session, "academy.tests.note", at=clock.now() - timedelta(hours=1), trust_id=PROSPERE, number=1)
            await defer(session, "academy.tests.note", at=clock.now() + timedelta(hours=1), trust_id=PROSPERE, number=2)
        await Worker("academy", [notes.tasks], {"app": database}).drain()
    finally:
        clock.move(timedelta(0))
    assert notes.seen == [(PROSPERE, 1)]
    assert await statuses(database) == ["succeeded", "todo"]


@pytest.mark.parametrize(
    ("task", "ids", "why"),
    [("rerate", {}, "not a task name"), ("academy.tests.note", {"name": "x" * 201}, "too long")],
)
async def test_a_job_is_a_dotted_name_and_ids(database: Database, task: str, ids: dict[str, Any], why: str) -> None:
    async with database.session(ALL) as session:
        with pytest.raises(ValueError, match=why):
            await defer(session, task, **ids)


async def test_a_job_for_later_takes_no_lock(database: Database) -> None:
    """It would hold up every later job of that lock until its time has come."""
    async with database.session(ALL) as session:
        with pytest.raises(ValueError, match="for later"):
            await defer(session, "academy.tests.note", lock="one trust", at=clock.now() + timedelta(hours=1))


async def test_the_loader_queues_jobs_and_can_do_nothing_else_to_them(committed_database: Clone) -> None:
    loader = committed_database.of("academy", "loader")
    async with loader.session(ALL) as session:
        assert await defer(session, "academy.tests.note", trust_id=PROSPERE) > 0
    for statement in (
        "select args from procrastinate_jobs",
        "update procrastinate_jobs set status = 'failed'",
        "delete from procrastinate_jobs",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with loader.session(ALL) as session:
                await session.execute(text(statement))
