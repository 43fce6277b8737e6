"""What the worker does for ratings."""

from __future__ import annotations

from uuid import UUID

from academy.rate_again import RATE_TASK, rate_again
from academy.ratings import service
from kit.database.sessions import Context
from kit.jobs.tasks import JobRun, Tasks

SUBJECT = "academy.ratings"

tasks = Tasks()


@tasks.task(RATE_TASK, queue="ratings")
async def rerate(job: JobRun, trust_id: UUID, import_id: UUID | None) -> None:  # noqa: ARG001 - for who reads the queue
    """Rate a trust's academies from the data of this moment, in that trust's own context; `import_id` says why."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await job.fence(session)
        await service.rerate(session, trust_id)


@tasks.task(service.COME_BACK, queue="ratings")
async def come_back(job: JobRun, trust_id: UUID) -> None:
    """Have a trust rated now that the day has come on which one of its academies joins or leaves.

    The rating itself can't wait for the day: it takes the trust's lock, and would hold up all others until then.
    """
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await job.fence(session)
        await rate_again(session, trust_id)


@tasks.scheduled("academy.ratings.each_day", cron="10 0 * * *", per_trust=True)
async def each_day(job: JobRun, trust_id: UUID) -> None:
    """Have each trust rated once a day, so that its board begins without an import, and no day of joining is missed."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await job.fence(session)
        await rate_again(session, trust_id)
