"""Work that comes with the time: what is due is queued by the worker, once, or once for each trust.

The worker looks every few seconds. The last time of a schedule's cron is what is due: a service that was down makes up
for that one, not for each that it missed. Which job was queued for which time is kept in the database, so that any
number of workers, and any number of looks, queue each once.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from croniter import croniter

from kit import clock
from kit.database.contexts import Context
from kit.database.sessions import Connection, Database
from kit.ids import PLATFORM
from kit.jobs.queue import WAKE_CHANNEL, WAKE_PAYLOAD
from kit.jobs.tasks import Task, Tasks
from kit.telemetry.logs import logger

log = logger(__name__)

Tenants = Callable[[Connection], Awaitable[Sequence[UUID]]]
"""Lists the ids of the trusts that a service works for; it is called as the janitor role, which sees nothing else."""

# procrastinate keeps the last time for each task and periodic id: that of a trust is its own id.
_QUEUE = """
    select count(job) from unnest($1::text[], $2::jsonb[]) as due (id, ids),
    lateral procrastinate_defer_periodic_job_v2($3, null, null, $4, 0, due.id, $5, due.ids) as job
"""


class TenantsUnknown(ValueError):
    """A task is scheduled for each trust, and the worker wasn't given what lists them."""


def last_due(cron: str, now: datetime) -> datetime:
    """The newest time of `cron` (UTC) that isn't later than `now`."""
    # The library looks for a time before the one that it is given.
    found: datetime = croniter(cron, now.astimezone(UTC) + timedelta(microseconds=1)).get_prev(datetime)
    return found


class Schedules:
    """The scheduled tasks of one service."""

    def __init__(self, schema: str, groups: Sequence[Tasks], tenants: Tenants | None) -> None:
        self._schema = schema
        self._tasks = [task for tasks in groups for task in tasks if task.cron is not None]
        self._tenants = tenants
        self._queued: dict[str, datetime] = {}
        if tenants is None and (lost := [task.name for task in self._tasks if task.per_trust]):
            raise TenantsUnknown(f"scheduled for each trust, but nothing lists the trusts: {', '.join(lost)}")

    async def tick(self, database: Database) -> int:
        """Queue what is due and isn't queued yet; gives how many jobs. The database is that of the app role."""
        count = 0
        now = clock.now()
        for task in self._tasks:
            assert task.cron is not None
            due = last_due(task.cron, now)
            if self._queued.get(task.name) != due:
                count += await self._queue(database, task, due)
                self._queued[task.name] = due
        if count:
            database.wakeups.poke(WAKE_CHANNEL, WAKE_PAYLOAD)
        return count

    async def _queue(self, database: Database, task: Task, due: datetime) -> int:
        async with database.connection(Context(PLATFORM, frozenset(), "schedules")) as connection:
            jobs = {"": "{}"}
            if task.per_trust:
                trusts = await self._trusts(connection)
                jobs = {str(trust_id): json.dumps({"trust_id": str(trust_id)}) for trust_id in trusts}
            count: int = await connection.fetchval(
                _QUEUE, list(jobs), list(jobs.values()), task.queue, task.name, int(due.timestamp())
            )
        if count:
            log.info("scheduled work is queued", task=task.name, due=due.isoformat(), jobs=count)
        return count

    async def _trusts(self, connection: Connection) -> Sequence[UUID]:
        assert self._tenants is not None
        await connection.execute(f"set local role {self._schema}_janitor")
        trusts = await self._tenants(connection)
        await connection.execute("set local role none")
        return trusts
