"""Jobs that take too long are cancelled, and a worker says when one doesn't end."""

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from kit.database.sessions import Database
from kit.jobs import slots as slots_module
from kit.jobs import threads
from kit.jobs.queue import defer
from kit.jobs.slots import Slots
from kit.jobs.tasks import JobRun, JobTookTooLong, Retries, Tasks, at_most
from kit.jobs.threads import in_thread, longest_left
from kit.workers.worker import Worker
from tests.support.databases import Clone
from tests.support.jobs import ALL, statuses, until

SHORT = timedelta(seconds=0.05)


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What threads wait for; set in the end."""
    event = threading.Event()
    yield event
    event.set()


async def test_a_job_that_takes_too_long_is_cancelled_and_fails(database: Database) -> None:
    tasks = Tasks()
    cancelled = 0

    @tasks.task("academy.tests.endless", longest=SHORT, retries=Retries(attempts=1))
    async def endless(_run: JobRun) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        finally:
            cancelled += 1

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.endless")
    async with asyncio.timeout(20):
        await Worker("academy", [tasks], {"app": database}).drain()
    assert cancelled == 1
    assert await statuses(database) == ["failed"]


async def test_time_outs_of_the_work_itself_stay_what_they_are() -> None:
    with pytest.raises(TimeoutError):
        async with at_most(timedelta(hours=1)):
            raise TimeoutError
    with pytest.raises(JobTookTooLong):
        async with at_most(SHORT):
            await asyncio.Event().wait()


async def test_a_job_that_doesnt_end_when_it_is_cancelled_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks()

    @tasks.task("academy.tests.short", longest=SHORT)
    async def short(_run: JobRun) -> None:
        """Nothing."""

    slots = Slots()
    (task,) = tasks
    with slots.busy(1, task):
        assert slots.problem() is None
        monkeypatch.setattr(slots_module, "GRACE_SECONDS", -1.0)
        assert slots.problem() == "academy.tests.short is stuck"
    monkeypatch.setattr(slots_module, "GRACE_SECONDS", 60.0)
    assert slots.problem() is None


async def test_a_thread_gives_what_its_function_gives() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_a_cancelled_job_waits_for_its_thread() -> None:
    ended = threading.Event()

    def work() -> None:
        # Longer than the job may take.
        ended.wait(0.3)
        ended.set()

    with pytest.raises(JobTookTooLong):
        async with at_most(SHORT):
            await in_thread(work)
    assert ended.is_set()
    assert longest_left() == 0


async def test_a_thread_is_known_when_its_job_is_cancelled_twice(held: threading.Event) -> None:
    began = threading.Event()

    def work() -> None:
        began.set()
        held.wait(60)

    job = asyncio.create_task(in_thread(work))
    await until(began.is_set)
    job.cancel()
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await until(lambda: longest_left() > 0)
    held.set()
    await until(lambda: longest_left() == 0)


async def test_a_thread_that_goes_on_is_known_until_it_ends(
    held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(slots_module, "GRACE_SECONDS", 0.0)
    with pytest.raises(JobTookTooLong):
        async with at_most(SHORT):
            await in_thread(held.wait, 60)
    await until(Slots().problem)
    assert Slots().problem() == "a thread goes on after its job has ended"
    held.set()
    await until(lambda: Slots().problem() is None)
