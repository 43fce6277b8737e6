"""What the worker does for imports."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.exc import DataError, IntegrityError

from academy.imports import queries
from academy.imports.applying.end import FORGET_TASK
from academy.imports.applying.load import TELL_TASK
from academy.imports.applying.notices import tell
from academy.imports.applying.run import SUBJECT, ReadingFailed, Workshop, give_up, run_import
from academy.imports.receiving.limits import ImportLimits
from academy.imports.service import RUN_TASK
from kit.database.sessions import Context
from kit.jobs.tasks import JobGivenUp, JobRun, Retries, Tasks
from kit.telemetry.logs import logger

RETRIES: Final = Retries(attempts=8)

tasks = Tasks()

log = logger(__name__)


@tasks.task(RUN_TASK, retries=RETRIES)
async def run(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Run an import to its end."""
    workshop = Workshop(job.database, job.databases["loader"], ImportLimits(), job.fence)
    try:
        await run_import(workshop, trust_id, import_id)
    except JobGivenUp:
        raise
    except (ReadingFailed, DataError, IntegrityError):
        # The same file would fail in the same way again.
        log.exception("an import can't be applied", import_id=str(import_id))
        detail = "The file holds something that we can't read or store; nothing of it was kept."
        await give_up(job.database, trust_id, import_id, "fault", detail)
    except Exception:
        if job.attempt >= RETRIES.attempts:
            detail = "The file couldn't be applied, through no fault of its own; nothing of it was kept."
            await give_up(job.database, trust_id, import_id, "fault", detail)
        raise


@tasks.task(TELL_TASK)
async def tell_trust(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Tell a trust's feed what a national import changed for it."""
    await tell(job.database, trust_id, import_id)


@tasks.task(FORGET_TASK)
async def forget(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Forget the file of an import that ended a while ago."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await queries.drop_chunks(session, trust_id, import_id)
