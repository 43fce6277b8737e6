"""procrastinate, the library that runs jobs, on a service's own schema and with its tasks."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import procrastinate
from procrastinate.connector import Notify
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from kit import clock
from kit.database.sessions import Database
from kit.jobs.queue import WAKE_CHANNEL
from kit.jobs.slots import Slots
from kit.jobs.tasks import JobGivenUp, JobRun, Retries, Task, Tasks, at_most


class _Connector(procrastinate.PsycopgConnector):
    """One connection listens for the queues of the whole process; each look for jobs costs next to nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._listeners: list[Notify] = []

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:  # noqa: ARG002
        """Call `on_notification` after every commit that queued a job; never returns."""
        self._listeners.append(on_notification)
        if len(self._listeners) == 1:
            await super().listen_notify(self._pass_on, [WAKE_CHANNEL])
        else:
            await asyncio.Event().wait()

    async def _pass_on(self, *, channel: str, payload: str) -> None:
        for listener in self._listeners:
            await listener(channel=channel, payload=payload)


class _Backoff(BaseRetryStrategy):
    def __init__(self, retries: Retries) -> None:
        self._retries = retries

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, by the database's clock."""
        now = clock.machine_now()
        if isinstance(exception, JobGivenUp) or not isinstance(exception, Exception):
            # Another run ends the job, or the worker stops and its successor begins at once.
            return RetryDecision(retry_at=now)
        pause = self._retries.pause(job.attempts + 1)
        return None if pause is None else RetryDecision(retry_at=now + pause)


def job_app(
    schema: str, url: str, tasks: Sequence[Tasks], databases: Mapping[str, Database], slots: Slots
) -> procrastinate.App:
    """procrastinate on the service's own schema (the role's search path leads there), with these tasks."""
    connector = _Connector(
        conninfo=url,
        min_size=1,
        max_size=4,
        timeout=10,
        # Unnamed statements only: the pool may be behind a transaction pooler.
        kwargs={"application_name": f"{schema}-jobs", "prepare_threshold": None},
    )
    app = procrastinate.App(connector=connector)
    for group in tasks:
        for task in group:
            register(app, task, databases, slots)
    return app


def register(app: procrastinate.App, task: Task, databases: Mapping[str, Database], slots: Slots) -> None:
    """Make a task known to procrastinate; it works with the worker's databases (`app` is the service's own).

    A run is cancelled when it has had its time.
    """

    async def run(context: procrastinate.JobContext, /, **ids: Any) -> None:
        assert context.job.id is not None
        job_run = JobRun(context.job.id, context.job.attempts + 1, context.job.worker_id, databases["app"], databases)
        with slots.busy(context.job.id, task):
            async with at_most(task.longest):
                await task.function(job_run, **task.values(ids))

    app.task(name=task.name, queue=task.queue, retry=_Backoff(task.retries), pass_context=True)(run)
