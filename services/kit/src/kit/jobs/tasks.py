"""What a service's worker can do: its tasks by name, and how each is tried again.

A slice lists its tasks in its `jobs.py`:

    tasks = Tasks()

    @tasks.task("academy.ratings.rerate")
    async def rerate(run: JobRun, trust_id: UUID, import_id: UUID | None) -> None: ...

The ids of the job become the arguments, as the annotations say. A task may be run again after it did its work: it must
come to the same end. A task names its queue (`kit.jobs.queues`); one that is `scheduled` is queued by the worker.
This module loads nothing of the library that runs jobs: services that only queue them have no use for it.
"""

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter
from sqlalchemy import text

from kit.database.sessions import Database, Session
from kit.jobs.queues import DEFAULT

TaskFunction = Callable[..., Awaitable[None]]
Function = TypeVar("Function", bound=TaskFunction)


class JobGivenUp(Exception):
    """This run was taken for dead and its job given to another; it may write nothing more."""


class JobTookTooLong(Exception):
    """A run had all the time that its task may take."""


LONGEST = timedelta(minutes=15)
"""So long a run may take unless its task says otherwise: then it is cancelled, and tried again as after any failure."""


@asynccontextmanager
async def at_most(longest: timedelta) -> AsyncIterator[None]:
    """Cancel what the block waits for after this time. Raises JobTookTooLong."""
    timer = asyncio.timeout(longest.total_seconds())
    try:
        async with timer:
            yield
    except TimeoutError:
        if timer.expired():
            raise JobTookTooLong(f"more than {longest.total_seconds():g} s") from None
        raise


# The row stays locked until the transaction ends, so that nobody gives the job away meanwhile.
_FENCE = text(
    "select true from procrastinate_jobs"
    " where id = :id and worker_id = :worker_id and attempts = :attempts and status = 'doing' for update"
)


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job: which it is, and what it works with. `attempt` counts from 1."""

    job_id: int
    attempt: int
    worker_id: int | None
    database: Database
    databases: Mapping[str, Database] = field(default_factory=dict)

    async def fence(self, session: Session) -> None:
        """Raises JobGivenUp when this run was taken for dead meanwhile; else nobody takes the job before the commit.

        The session is one of the service's own role; call it once, before the first change.
        """
        values = {"id": self.job_id, "worker_id": self.worker_id, "attempts": self.attempt - 1}
        if (await session.execute(_FENCE, values)).scalar() is None:
            raise JobGivenUp(f"job {self.job_id}, attempt {self.attempt}")


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a failed job is tried again, each time after a longer pause (doubled, with some chance in it)."""

    attempts: int = 8
    first_pause: timedelta = timedelta(seconds=2)
    longest_pause: timedelta = timedelta(hours=1)

    def pause(self, attempts: int) -> timedelta | None:
        """The pause after this many failed attempts; None when it was the last."""
        if attempts >= self.attempts:
            return None
        doublings = min(attempts - 1, 30)
        # Some chance, so that jobs that failed together don't come back together.
        chance = 0.75 + random.random() / 2  # noqa: S311 - nothing secret
        return min(self.first_pause * (1 << doublings), self.longest_pause) * chance


@dataclass(frozen=True, slots=True)
class Task:
    """One task. With `cron` the worker queues it at these times (UTC): once, or once for each trust (`per_trust`)."""

    name: str
    function: TaskFunction
    retries: Retries
    queue: str
    cron: str | None
    per_trust: bool
    arguments: Mapping[str, TypeAdapter[Any]]
    longest: timedelta = LONGEST

    def values(self, ids: Mapping[str, Any]) -> dict[str, Any]:
        """A job's ids as the arguments that the function takes; ids that it doesn't know are left out."""
        return {name: adapter.validate_python(ids[name]) for name, adapter in self.arguments.items() if name in ids}


class Tasks:
    """The tasks of a slice."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def task(
        self, name: str, *, retries: Retries | None = None, queue: str = DEFAULT, longest: timedelta = LONGEST
    ) -> Callable[[Function], Function]:
        """Register a function under its dotted name."""
        return self._registering(name, retries, queue, longest, cron=None, per_trust=False)

    def scheduled(
        self,
        name: str,
        *,
        cron: str,
        per_trust: bool = False,
        retries: Retries | None = None,
        queue: str = DEFAULT,
        longest: timedelta = LONGEST,
    ) -> Callable[[Function], Function]:
        """Register a function that the worker also queues by itself, at the times of `cron` (UTC).

        With `per_trust` each trust gets a job of its own, with its `trust_id`. After a pause of the service only the
        last time that was missed is made up for.
        """
        return self._registering(name, retries, queue, longest, cron=cron, per_trust=per_trust)

    def _registering(
        self, name: str, retries: Retries | None, queue: str, longest: timedelta, *, cron: str | None, per_trust: bool
    ) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            hints = get_type_hints(function)
            names = list(inspect.signature(function).parameters)[1:]
            arguments = {name: TypeAdapter(hints[name]) for name in names}
            self._tasks[name] = Task(name, function, retries or Retries(), queue, cron, per_trust, arguments, longest)
            return function

        return register

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())
