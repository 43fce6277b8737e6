"""Work that follows a request: queued in the transaction that needs it, done by the service's worker.

The queue is procrastinate's, in the service's own schema. A job row holds ids and nothing else: never a name, a figure
or a mark of a child or a member of staff. A job may run more than once (its process can be killed at any moment), so a
task must come to the same end when it is repeated; `JobRun.fence` keeps a run that was given up from writing late.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kit import clock
from kit.database.sessions import Database, Session, after_commit, database_of
from kit.jobs.queues import DEFAULT

JobId = str | int | UUID | None


class TaskNotRegistered(Exception):
    """The service's worker runs no task of this name; it belongs in the `jobs.py` of a slice."""


# procrastinate's own channel for "there is a job"; its triggers, which would notify inside transactions, are dropped.
WAKE_CHANNEL = "procrastinate_any_queue_v1"
WAKE_PAYLOAD = json.dumps({"type": "job_inserted", "job_id": 0})

_TASK = re.compile(r"^[a-z_]+(\.[a-z_]+)+$")
_LONGEST_ID = 200

_DEFER = text(
    """
    select unnest(procrastinate_defer_jobs_v1(array[row(
        cast(:queue as varchar), cast(:task as varchar), cast(:priority as integer), cast(:lock as text), null,
        cast(:ids as jsonb), cast(:at as timestamptz)
    )::procrastinate_job_to_defer_v1]))
    """
)


# The first job of a lock goes where its queue is now, each further one a place behind the one before it. Priorities
# fall, so that a trust that always has something queued keeps its place among those that come.
_TURN = text(
    """
    select least(
        (select min(priority) - 1 from procrastinate_jobs where lock = :lock and status in ('todo', 'doing')),
        coalesce(
            (select min(priority) from procrastinate_jobs where queue_name = :queue and status = 'doing'),
            (select max(priority) from procrastinate_jobs where queue_name = :queue and status = 'todo'),
            0))
    """
)


async def defer(
    session: Session, task: str, *, lock: str | None = None, priority: int = 0, at: datetime | None = None, **ids: JobId
) -> int:
    """Queue a task in the session's own transaction: it runs if that commits, and not otherwise.

    `task` is its dotted name (`academy.ratings.rerate`) and has its queue. Jobs with the same `lock` run
    one after another. `at` is the earliest time; such a job takes no lock, since it would hold up all others of that
    lock until its time has come: it queues one that does. Gives the job's number. Equal jobs aren't merged: the one
    that waits could start, and read, before this change is committed. Raises TaskNotRegistered.
    """
    if lock is not None and at is not None:
        raise ValueError(f"a job for later can't hold the lock {lock!r} until then")
    return await _queue(session, _Job(task, lock, priority, at, ids))


async def defer_in_turn(session: Session, task: str, *, lock: str, **ids: JobId) -> int:
    """Queue a task as `defer` does, so that locks take turns in its queue.

    Hundreds of jobs of one lock don't keep others waiting for all of them: the first job of another lock comes after
    those that run. Jobs of the same lock keep their order.
    """
    place = {"lock": lock, "queue": _queue_of(database_of(session), task)}
    priority: int = (await session.execute(_TURN, place)).scalar_one()
    return await _queue(session, _Job(task, lock, priority, None, ids))


@dataclass(frozen=True, slots=True)
class _Job:
    task: str
    lock: str | None
    priority: int
    at: datetime | None
    ids: Mapping[str, JobId]


async def _queue(session: Session, job: _Job) -> int:
    if not _TASK.match(job.task):
        raise ValueError(f"not a task name: {job.task!r}")
    database = database_of(session)
    queue = _queue_of(database, job.task)
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in job.ids.items()}
    for name, value in values.items():
        if isinstance(value, str) and len(value) > _LONGEST_ID:
            raise ValueError(f"a job carries only ids, and {name} is too long for one")
    parameters = {
        "queue": queue,
        "task": job.task,
        "priority": job.priority,
        "lock": job.lock,
        "ids": json.dumps(values),
        # Compared by the database, whose clock nobody moves.
        "at": None if job.at is None else clock.on_machine(job.at),
    }
    number: int = (await session.execute(_DEFER, parameters)).scalar_one()
    after_commit(session, lambda: database.wakeups.poke(WAKE_CHANNEL, WAKE_PAYLOAD))
    return number


def _queue_of(database: Database, task: str) -> str:
    queue = DEFAULT if database.registered is None else database.registered.queue_of(task)
    if queue is None:
        raise TaskNotRegistered(task)
    return queue
