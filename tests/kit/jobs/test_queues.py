"""Queues with limits of their own: the jobs of one never wait for those of another."""

import asyncio
from uuid import UUID

import pytest

from academy.definition import ACADEMY
from academy.imports.rules import RUN_SMALL_TASK, RUN_TASK
from academy.rate_again import RATE_TASK
from kit.database.sessions import Database
from kit.ids import tenant_id
from kit.jobs.queue import TaskNotRegistered, defer, defer_in_turn
from kit.jobs.queues import LIMITS, UnknownQueue, limits_of
from kit.jobs.tasks import JobRun, Tasks
from kit.workers.worker import Worker
from tests.support.databases import Clone
from tests.support.jobs import ALL, Notes, all_in, until, working
from tests.support.tokens import PROSPERE


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


class Known:
    """What a service has registered: these tasks."""

    def __init__(self, tasks: Tasks) -> None:
        self._queues = {task.name: task.queue for task in tasks}

    def has_event(self, _event_type: object) -> bool:
        """None."""
        return False

    def queue_of(self, task: str) -> str | None:
        """As the task says."""
        return self._queues.get(task)


class Holding:
    """Tasks of the queue `imports` that run until they are let go."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.let_go = asyncio.Event()
        self.running = 0
        self.most = 0
        self.tasks.task("academy.tests.hold", queue="imports")(self.hold)

    async def hold(self, _run: JobRun) -> None:
        """One slow job."""
        self.running += 1
        self.most = max(self.most, self.running)
        await self.let_go.wait()
        self.running -= 1


async def test_a_full_queue_delays_no_other(database: Database) -> None:
    holding, notes = Holding(), Notes()
    holding.tasks.task("academy.tests.note")(notes.note)
    database.registered = Known(holding.tasks)
    async with database.session(ALL) as session:
        for _ in range(5):
            await defer(session, "academy.tests.hold")
    async with working(database, holding.tasks, queues={"imports": 2}):
        await until(lambda: holding.running == 2)
        async with database.session(ALL) as session:
            await defer(session, "academy.tests.note", trust_id=PROSPERE, number=1)
        await until(lambda: notes.seen == [(PROSPERE, 1)])
        # The slow ones were running all the time, and no more of them than their queue may.
        assert (holding.running, holding.most) == (2, 2)
        holding.let_go.set()
        await until(lambda: all_in(database, "succeeded"))
    assert holding.most == 2


async def test_jobs_that_an_older_release_queued_still_run(database: Database) -> None:
    """Before there were queues, all jobs were queued as `default`."""
    holding = Holding()
    holding.let_go.set()
    async with database.session(ALL) as session:
        # Not registered, as then: it is queued as `default`.
        await defer(session, "academy.tests.hold")
    async with working(database, holding.tasks):
        await until(lambda: all_in(database, "succeeded"))


async def test_a_job_goes_into_the_queue_of_its_task(database: Database) -> None:
    holding = Holding()
    database.registered = Known(holding.tasks)
    async with database.session(ALL) as session:
        await defer(session, "academy.tests.hold")
        with pytest.raises(TaskNotRegistered, match=r"academy\.tests\.nothing"):
            await defer(session, "academy.tests.nothing")
    async with database.connection(ALL) as connection:
        assert await connection.fetchval("select queue_name from procrastinate_jobs") == "imports"


def test_imports_have_a_queue_of_their_own() -> None:
    assert ACADEMY.queue_of(RUN_TASK) == "imports"
    # A small file never waits for two long ones.
    assert ACADEMY.queue_of(RUN_SMALL_TASK) == "small-imports"
    assert ACADEMY.queue_of(RATE_TASK) == "ratings"


async def order_of_running(database: Database, tasks: Tasks) -> None:
    """Run what is queued, one job at a time."""
    await Worker("academy", [tasks], {"app": database}).drain()


async def test_locks_take_turns_however_many_jobs_each_has(database: Database) -> None:
    notes, tasks = Notes(), Tasks()
    tasks.task("academy.tests.note", queue="imports")(notes.note)
    database.registered = Known(tasks)
    first, second = tenant_id("first"), tenant_id("second")
    async with database.session(ALL) as session:
        for number in range(4):
            await defer_in_turn(session, "academy.tests.note", lock="first", trust_id=first, number=number)
        for number in range(2):
            await defer_in_turn(session, "academy.tests.note", lock="second", trust_id=second, number=number)
    await order_of_running(database, tasks)
    assert notes.seen == [(first, 0), (second, 0), (first, 1), (second, 1), (first, 2), (first, 3)]


async def test_a_lock_with_a_long_row_keeps_its_order_and_its_place(database: Database) -> None:
    notes, tasks = Notes(), Tasks()
    late, row = tenant_id("late"), tenant_id("row")

    async def queue_another(run: JobRun, trust_id: UUID, number: int) -> None:
        await notes.note(run, trust_id, number)
        if (trust_id, number) == (row, 2):
            async with database.session(ALL) as session:
                for more in range(3):
                    await defer_in_turn(session, "academy.tests.note", lock="late", trust_id=late, number=more)
                await defer_in_turn(session, "academy.tests.note", lock="row", trust_id=row, number=5)

    tasks.task("academy.tests.note", queue="imports")(queue_another)
    database.registered = Known(tasks)
    async with database.session(ALL) as session:
        for number in range(5):
            await defer_in_turn(session, "academy.tests.note", lock="row", trust_id=row, number=number)
    await order_of_running(database, tasks)
    # Who comes later neither waits for the whole row nor goes before all of it.
    assert notes.seen[3:] == [(late, 0), (row, 3), (late, 1), (row, 4), (late, 2), (row, 5)]


def test_a_service_may_set_its_own_limits() -> None:
    assert limits_of([]) == {"default": LIMITS["default"]}
    assert limits_of(["imports"], {"imports": 7, "mail": 3}) == {"default": LIMITS["default"], "imports": 7}


def test_a_queue_that_nobody_would_run_is_refused(database: Database) -> None:
    tasks = Tasks()

    @tasks.task("academy.tests.lost", queue="imprts")
    async def lost(run: JobRun) -> None:
        raise AssertionError

    with pytest.raises(UnknownQueue, match="imprts"):
        Worker("academy", [tasks], {"app": database})
