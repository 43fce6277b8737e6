"""Work that follows a request: queued in the transaction that needs it, done by the service's worker.

The queue is procrastinate's, in the service's own schema. A job row holds ids and nothing else: never a name, a figure
or a mark of a child or a member of staff. A job may run more than once (its process can be killed at any moment), so a
task must come to the same end when it is repeated; `JobRun.fence` keeps a run that was given up from writing late.
"""

import json
import re
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from kit import clock
from kit.database.sessions import Session, after_commit, database_of
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


async def defer(
    session: Session,
    task: str,
    *,
    lock: str | None = None,
    priority: int = 0,
    at: datetime | None = None,
    **ids: JobId,
) -> int:
    """Queue a task in the session's own transaction: it runs if that commits, and not otherwise.

    `task` is its dotted name (`academy.ratings.rerate`) and has its queue. Jobs with the same `lock` run
    one after another. `at` is the earliest time; such a job takes no lock, since it would hold up all others of that
    lock until its time has come: it queues one that does. Gives the job's number. Equal jobs aren't merged: the one
    that waits could start, and read, before this change is committed. Raises TaskNotRegistered.
    """
    if lock is not None and at is not None:
        raise ValueError(f"a job for later can't hold the lock {lock!r} until then")
    if not _TASK.match(task):
        raise ValueError(f"not a task name: {task!r}")
    database = database_of(session)
    queue = DEFAULT if database.registered is None else database.registered.queue_of(task)
    if queue is None:
        raise TaskNotRegistered(task)
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in ids.items()}
    for name, value in values.items():
        if isinstance(value, str) and len(value) > _LONGEST_ID:
            raise ValueError(f"a job carries only ids, and {name} is too long for one")
    parameters = {
        "queue": queue,
        "task": task,
        "priority": priority,
        "lock": lock,
        "ids": json.dumps(values),
        # Compared by the database, whose clock nobody moves.
        "at": None if at is None else clock.on_machine(at),
    }
    number: int = (await session.execute(_DEFER, parameters)).scalar_one()
    after_commit(session, lambda: database.wakeups.poke(WAKE_CHANNEL, WAKE_PAYLOAD))
    return number
