"""Workers beside a test, and waiting for what they do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from kit.database.sessions import Context, Database
from kit.jobs.schedules import Tenants
from kit.jobs.tasks import JobRun, Tasks
from kit.workers.worker import Worker, WorkerTimings
from tests.support.tokens import PROSPERE

ALL = Context(PROSPERE, None, "person:ceo")
QUICK = WorkerTimings(poll=0.2, heartbeat=0.3, taken_for_dead=1.5, graceful=2, restart_pause=0.1)


async def statuses(database: Database) -> list[str]:
    """Of all jobs, oldest first."""
    async with database.connection(ALL) as connection:
        return [
            row["status"] for row in await connection.fetch("select status::text from procrastinate_jobs order by id")
        ]


async def all_in(database: Database, status: str) -> bool:
    return set(await statuses(database)) == {status}


@asynccontextmanager
async def working(
    database: Database,
    tasks: Tasks,
    timings: WorkerTimings = QUICK,
    *,
    queues: Mapping[str, int] | None = None,
    tenants: Tenants | None = None,
) -> AsyncIterator[Worker]:
    """A worker beside the test."""
    worker = Worker("academy", [tasks], {"app": database}, queues=queues, tenants=tenants, timings=timings)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def until(found: Callable[[], Any], seconds: float = 10) -> None:
    """Wait for something."""
    async with asyncio.timeout(seconds):
        while True:
            result = found()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            await asyncio.sleep(0.02)


class Notes:
    """Tasks that write down what they were given."""

    def __init__(self) -> None:
        self.tasks = Tasks()
        self.seen: list[tuple[UUID, int | None]] = []
        self.tasks.task("academy.tests.note")(self.note)

    async def note(self, _run: JobRun, trust_id: UUID, number: int | None) -> None:
        """One job."""
        self.seen.append((trust_id, number))
