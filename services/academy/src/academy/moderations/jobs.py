"""What the worker does for moderations."""

from uuid import UUID

from academy.moderations import service
from kit.database.sessions import Context
from kit.jobs.tasks import JobRun, Tasks

tasks = Tasks()


@tasks.task(service.LAPSE)
async def lapse(job: JobRun, trust_id: UUID, moderation_id: UUID) -> None:
    """End an override whose last day is over; queued for that midnight in London when the override is made."""
    async with job.database.session(Context(trust_id, None, "academy.moderations")) as session:
        await job.fence(session)
        await service.lapse(session, trust_id, moderation_id)


@tasks.scheduled("academy.moderations.sweep", cron="20 0 * * *", per_trust=True)
async def sweep(job: JobRun, trust_id: UUID) -> None:
    """End overrides that are over although their own job failed or was lost; every night, after midnight in London."""
    async with job.database.session(Context(trust_id, None, "academy.moderations")) as session:
        await job.fence(session)
        await service.lapse_overdue(session, trust_id)
