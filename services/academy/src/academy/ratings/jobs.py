"""What the worker does for ratings."""

from __future__ import annotations

from uuid import UUID

from academy.criteria.service import RERATE
from academy.ratings import service
from kit.db import Context
from kit.tasks import JobRun, Tasks

SUBJECT = "academy.ratings"

tasks = Tasks()


@tasks.task(RERATE)
async def rerate(job: JobRun, trust_id: UUID, import_id: UUID | None) -> None:  # noqa: ARG001 - for who reads the queue
    """Rate a trust's academies from the data of this moment, in that trust's own context; `import_id` says why."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await job.fence(session)
        await service.rerate(session, trust_id)
