"""Workers: what they leave when they are stopped, killed or cut off."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from kit import clock
from kit.database.sessions import Database
from kit.jobs.queue import defer
from kit.jobs.tasks import JobGivenUp, JobRun, Tasks
from kit.schema.chains import Chain
from kit.workers.worker import Worker, WorkerTimings, run_worker
from tests.support.databases import Clone
from tests.support.jobs import ALL, QUICK, Notes, all_in, statuses, until, working
from tests.support.tokens import PROSPERE


@pytest.fixture
def database(committed_database: Clone) -> Database:
    """What academy sees of a database of this test's own."""
    return committed_database.of("academy")


async def test_a_stopping_worker_finishes_what_it_runs(database: Database) -> None:
    tasks = Tasks()
    ended: list[str] = []
    started = asyncio.Event()

    @tasks.task("academy.tests.slow")
    async def slow(run: JobRun) -> None:
        started.set()
        await asyncio.sleep(0.5)
        ended.append("done")

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.slow")
    async with working(database, tasks):
        await started.wait()
    assert ended == ["done"]
    assert await statuses(database) == ["succeeded"]


async def test_what_doesnt_finish_in_time_is_left_to_the_next_worker(database: Database) -> None:
    tasks = Tasks()
    runs: list[int] = []
    started = asyncio.Event()

    @tasks.task("academy.tests.endless")
    async def endless(run: JobRun) -> None:
        runs.append(run.attempt)
        started.set()
        if run.attempt == 1:
            await asyncio.sleep(60)

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.endless")
    async with working(database, tasks, WorkerTimings(poll=0.1, graceful=0.2)):
        await started.wait()
    assert await statuses(database) == ["todo"]
    await Worker("academy", [tasks], {"app": database}).drain()
    assert runs == [1, 2]


KILLED = """
import asyncio, sys
from uuid import UUID
from sqlalchemy import text
from kit.database.sessions import Context, Database
from kit.jobs.tasks import JobRun, Tasks
from kit.workers.worker import Worker, WorkerTimings, run_worker

tasks = Tasks()
database = Database(sys.argv[1], application_name="academy")

@tasks.task("academy.tests.write")
async def write(run: JobRun, key: str, trust_id: UUID) -> None:
    async with database.session(Context(trust_id, None, "worker")) as session:
        await run.fence(session)
        await session.execute(text(
            "insert into idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
            " values (:t, 'c', 'r', :k, '', now()) on conflict do nothing"), {"t": trust_id, "k": key})
    if run.attempt == 1 and key.endswith("7"):
        # The effect is committed, the job isn't: the worst moment to be killed.
        print("stuck", flush=True)
        await asyncio.sleep(3600)

timings = WorkerTimings(poll=0.1, heartbeat=0.3, taken_for_dead=1.0)
asyncio.run(Worker("academy", [tasks], {"app": database}, queues={"default": 1}, timings=timings).run())
"""


async def test_jobs_survive_kill_9_and_take_effect_once(database: Database, committed_database: Clone) -> None:
    async with database.session(ALL) as session:
        for number in range(20):
            await defer(session, "academy.tests.write", key=f"job-{number}", trust_id=PROSPERE)

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            KILLED,
            committed_database.url("academy_app"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )

    for _ in range(2):
        process = await start()
        assert process.stdout is not None
        assert (await asyncio.wait_for(process.stdout.readline(), 30)).startswith(b"stuck")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    process = await start()
    try:
        await until(lambda: all_in(database, "succeeded"), 40)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
    async with database.connection(ALL) as connection:
        assert await connection.fetchval("select count(*) from idempotency_key") == 20


async def test_a_run_that_was_taken_for_dead_writes_nothing_more(database: Database) -> None:
    tasks = Tasks()
    refused: list[int] = []

    @tasks.task("academy.tests.zombie")
    async def zombie(run: JobRun) -> None:
        if run.attempt == 1:
            # Meanwhile another worker gave the job to somebody else.
            async with database.connection(ALL) as connection:
                await connection.execute("select procrastinate_retry_job_v2($1, now(), null, null, null)", run.job_id)
            try:
                async with database.session(ALL) as session:
                    await run.fence(session)
            except JobGivenUp:
                refused.append(run.job_id)
                raise

    async with database.session(ALL) as session:
        await defer(session, "academy.tests.zombie")
    async with working(database, tasks):
        await until(lambda: refused)


async def test_a_worker_outlives_an_outage_of_its_database(database: Database, committed_database: Clone) -> None:
    notes = Notes()
    async with working(database, notes.tasks):
        await asyncio.sleep(0.5)
        async with committed_database.admin() as admin:
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        async with database.session(ALL) as session:
            await defer(session, "academy.tests.note", trust_id=PROSPERE, number=1)
        await until(lambda: notes.seen)


async def test_finished_jobs_are_tidied_away(database: Database, committed_database: Clone) -> None:
    notes = Notes()
    async with database.session(ALL) as session:
        await defer(session, "academy.tests.note", trust_id=PROSPERE, number=1)
    await Worker("academy", [notes.tasks], {"app": database}).drain()
    async with committed_database.admin() as admin:
        await admin.execute("update academy.procrastinate_events set at = at - interval '30 days'")
    async with database.session(ALL) as session:
        await defer(session, "academy.tests.note", at=clock.now() + timedelta(days=1), trust_id=PROSPERE, number=2)
    tidy = WorkerTimings(poll=0.1, heartbeat=0.1, tidy=0.1, graceful=1)

    async def is_tidy() -> bool:
        return await statuses(database) == ["todo"]

    async with working(database, notes.tasks, tidy):
        await until(is_tidy)


async def test_a_worker_says_whether_it_is_ready(committed_database: Clone, tmp_path: Path) -> None:
    database = committed_database.new("academy")
    socket = tmp_path / "worker.sock"
    running = asyncio.create_task(
        run_worker(Chain("academy", "academy"), [Tasks()], {"app": database}, timings=QUICK, health_socket=socket)
    )

    async def answer(path: str) -> tuple[int, dict[str, str]]:
        async with httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://worker"
        ) as client:
            said = await client.get(path)
        return said.status_code, said.json().get("checks", {})

    async def is_ready(yes: bool = True) -> bool:
        return socket.exists() and ((await answer("/readyz"))[0] == 200) is yes

    await until(is_ready)
    assert await answer("/readyz") == (200, {"database": "ok", "connections": "ok", "jobs": "ok"})
    async with committed_database.away():
        await until(lambda: is_ready(yes=False))
        status, checks = await answer("/readyz")
        assert (status, checks["database"] != "ok") == (503, True)
        assert (await answer("/healthz"))[0] == 200
    await until(is_ready)
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(10):
        await running
