"""A service's worker: runs its jobs, looks after those of killed workers, follows other services, and tidies up.

It polls, and is woken after commits. A worker that is killed stops giving signs of life; after some seconds its jobs
are given to another. When the database goes away the worker waits and starts again by itself.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import asyncpg
import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from kit import clock
from kit.database.sessions import WORKER_TIMEOUTS, Database, service_database
from kit.definition import ServiceDefinition
from kit.events.followers import Followers
from kit.jobs.apps import job_app
from kit.jobs.queues import limits_of
from kit.jobs.schedules import Schedules, Tenants
from kit.jobs.slots import Slots
from kit.jobs.tasks import Tasks
from kit.readiness import database_check
from kit.schema.chains import Chain
from kit.settings import ServiceSettings
from kit.telemetry.logs import configure_logs, logger
from kit.workers.following import followed_by
from kit.workers.worker_health import serving_health

log = logger(__name__)

_OUTAGES = (ConnectorException, psycopg.Error, psycopg_pool.PoolTimeout, OSError, asyncpg.PostgresError)


@dataclass(frozen=True, slots=True)
class WorkerTimings:
    """How often a worker does what, and how long it waits; times in seconds."""

    poll: float = 2.0
    heartbeat: float = 3.0
    taken_for_dead: float = 15.0
    graceful: float = 25.0
    tidy: float = 600.0
    restart_pause: float = 1.0
    longest_restart_pause: float = 30.0
    # A job that took this many workers with it isn't given to another.
    most_attempts: int = 20
    finished_jobs_kept: timedelta = timedelta(days=7)


class Worker:
    """The worker of one service."""

    def __init__(
        self,
        schema: str,
        tasks: Sequence[Tasks],
        databases: Mapping[str, Database],
        *,
        queues: Mapping[str, int] | None = None,
        tenants: Tenants | None = None,
        timings: WorkerTimings | None = None,
    ) -> None:
        """`databases` are what tasks work with; `app` among them is the service's own role, and holds the queue.

        `queues` are limits of the service's own (`kit.jobs.queues`), `tenants` lists the trusts for scheduled tasks.
        Raises UnknownQueue and TenantsUnknown for tasks that nobody would run.
        """
        self._schema = schema
        self._tasks = tasks
        self._databases = databases
        self._limits = limits_of((task.queue for group in tasks for task in group), queues)
        self._schedules = Schedules(schema, tasks, tenants)
        self._timings = timings or WorkerTimings()
        self._stopping = asyncio.Event()
        self._looks_for_jobs = False
        self._slots = Slots()

    @property
    def problem(self) -> str | None:
        """Why it doesn't do what is queued, in a few words; None when it has its database and nothing is stuck."""
        return self._slots.problem() if self._looks_for_jobs else "not looking for jobs"

    @property
    def stopping(self) -> asyncio.Event:
        """Set once it is asked to stop; what runs beside it ends with it."""
        return self._stopping

    def stop(self) -> None:
        """Finish what is running, and end."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop` is called; starts again by itself after an outage of the database."""
        pause = self._timings.restart_pause
        while not self._stopping.is_set():
            began = asyncio.get_running_loop().time()
            try:
                await self._run_once()
            except _OUTAGES as error:
                log.warning("the worker lost its database", schema=self._schema, error=type(error).__name__)
            if self._stopping.is_set():
                return
            if asyncio.get_running_loop().time() - began > self._timings.longest_restart_pause:
                pause = self._timings.restart_pause
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            pause = min(pause * 2, self._timings.longest_restart_pause)

    async def drain(self) -> None:
        """Run what is queued now and return, for tests and commands."""
        app = self._app()
        async with app.open_async():
            await app.run_worker_async(wait=False, listen_notify=False, install_signal_handlers=False, concurrency=1)

    def _app(self) -> procrastinate.App:
        return job_app(self._schema, self._databases["app"].url, self._tasks, self._databases, self._slots)

    async def _run_once(self) -> None:
        timings = self._timings
        app = self._app()
        async with app.open_async():
            await self._recover(app)
            working = [
                asyncio.create_task(
                    app.run_worker_async(
                        name=f"{self._schema}.{queue}",
                        queues=[queue],
                        concurrency=limit,
                        fetch_job_polling_interval=timings.poll,
                        abort_job_polling_interval=timings.poll,
                        update_heartbeat_interval=timings.heartbeat,
                        stalled_worker_timeout=timings.taken_for_dead,
                        shutdown_graceful_timeout=timings.graceful,
                        install_signal_handlers=False,
                    ),
                    name=f"work on {queue}",
                )
                for queue, limit in self._limits.items()
            ]
            looking = asyncio.create_task(self._look_after(app), name="look after jobs")
            stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
            try:
                self._looks_for_jobs = True
                await asyncio.wait({*working, looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._looks_for_jobs = False
                for task in (stopping, looking, *working):
                    task.cancel()
                # procrastinate takes a cancellation as the wish to finish what is running.
                results = await asyncio.gather(*working, looking, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                    raise result

    async def _look_after(self, app: procrastinate.App) -> None:
        loop = asyncio.get_running_loop()
        tidied = loop.time()
        while True:
            await asyncio.sleep(self._timings.heartbeat)
            await self._recover(app)
            await self._schedules.tick(self._databases["app"])
            if loop.time() - tidied > self._timings.tidy:
                tidied = loop.time()
                await self._tidy(app)

    async def _recover(self, app: procrastinate.App) -> None:
        """Give the jobs of killed workers to the living."""
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._timings.taken_for_dead)
        for job in stalled:
            facts = {"job": job.id, "task": job.task_name, "attempts": job.attempts}
            try:
                if job.attempts + 1 >= self._timings.most_attempts:
                    log.error("a job took too many workers with it", **facts)
                    await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=False)
                else:
                    log.warning("a job is started again", **facts)
                    await app.job_manager.retry_job(job, retry_at=clock.machine_now())
            except ConnectorException:
                # Another worker was quicker.
                log.info("a job was taken care of by another worker", **facts)

    async def _tidy(self, app: procrastinate.App) -> None:
        hours = int(self._timings.finished_jobs_kept / timedelta(hours=1))
        await app.job_manager.delete_old_jobs(
            nb_hours=hours, include_failed=True, include_cancelled=True, include_aborted=True
        )


@contextmanager
def stopped_by_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT stop the worker in good order."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, worker.stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def run_worker(
    chain: Chain,
    tasks: Sequence[Tasks],
    databases: Mapping[str, Database],
    *,
    queues: Mapping[str, int] | None = None,
    tenants: Tenants | None = None,
    timings: WorkerTimings | None = None,
    followers: Followers | None = None,
    health_socket: Path | None = None,
) -> None:
    """Work until asked to stop, then close the databases.

    `followers` run beside the jobs. With `health_socket` it answers there whether it is alive and ready.
    """
    worker = Worker(chain.schema, tasks, databases, queues=queues, tenants=tenants, timings=timings)

    async def connections() -> None:
        for database in databases.values():
            await database.ping()

    async def jobs() -> str | None:
        return worker.problem

    checks = {"database": database_check(databases["app"], chain), "connections": connections, "jobs": jobs}
    async with AsyncExitStack() as stack:
        for database in databases.values():
            stack.push_async_callback(database.dispose)
        if health_socket is not None:
            name = f"{chain.schema}-worker"
            await stack.enter_async_context(serving_health(name, health_socket, checks, followers=followers))
        with stopped_by_signals(worker):
            log.info("the worker starts", schema=chain.schema)
            # A fault in one ends the other too: the supervisor starts the process anew.
            async with asyncio.TaskGroup() as group:
                group.create_task(worker.run(), name="worker")
                if followers is not None:
                    group.create_task(followers.run(worker.stopping), name="followers")


Databases = Callable[[ServiceSettings], Mapping[str, Database]]


def main(
    service: ServiceDefinition,
    *,
    databases: Databases | None = None,
    queues: Mapping[str, int] | None = None,
    tenants: Tenants | None = None,
) -> None:
    """A service's `python -m {service}.worker`: work as the environment says, until SIGTERM or SIGINT.

    `databases` are what its tasks work with where the service's own role isn't enough.
    """
    settings = ServiceSettings.for_service(service.name)
    configure_logs(f"{service.name}-worker", settings.log_level)
    # Rows of one slice refer to those of another: all tables are known before the first row is written.
    log.debug("tables are loaded", modules=len(service.tables))
    opened = databases(settings) if databases is not None else {"app": own_database(service, settings)}
    asyncio.run(
        run_worker(
            service.chain,
            service.tasks,
            opened,
            queues=queues,
            tenants=tenants,
            followers=Followers(settings, opened["app"], followed_by(service, settings.key_ring)),
            health_socket=settings.worker_socket,
        )
    )


def own_database(service: ServiceDefinition, settings: ServiceSettings) -> Database:
    """The service's own role, as its tasks work with it."""
    return service_database(
        settings,
        settings.database_url,
        application_name=f"{service.name}-worker",
        timeouts=WORKER_TIMEOUTS,
        registered=service,
    )
