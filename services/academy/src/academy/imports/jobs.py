"""What the worker does for imports."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.exc import DataError, IntegrityError

from academy.imports import queries
from academy.imports.applying.end import DELETE_TASK
from academy.imports.applying.notices import NOTICE_TASK, WITHDRAWAL_TASK, announce_national, announce_withdrawal
from academy.imports.applying.run import SUBJECT, ImportRun, ReadingFailed, give_up, run_import
from academy.imports.applying.withdraw import withdraw_import
from academy.imports.receiving.limits import ImportLimits
from academy.imports.service import RUN_TASK, WITHDRAW_TASK
from kit.database.sessions import Context
from kit.jobs.tasks import JobGivenUp, JobRun, Retries, Tasks
from kit.telemetry.logs import logger

RETRIES: Final = Retries(attempts=8)

tasks = Tasks()

log = logger(__name__)


@tasks.task(RUN_TASK, retries=RETRIES, queue="imports")
async def run(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Run an import to its end."""
    started = ImportRun(job.database, job.databases["loader"], ImportLimits(), job.fence, trust_id, import_id)
    try:
        await run_import(started)
    except JobGivenUp:
        raise
    except (ReadingFailed, DataError, IntegrityError):
        # The same file would fail in the same way again.
        log.exception("an import can't be applied", import_id=str(import_id))
        await give_up(started, "The file holds something that we can't read or store; nothing of it was kept.")
    except Exception:
        if job.attempt >= RETRIES.attempts:
            await give_up(started, "The file couldn't be applied, through no fault of its own; nothing of it was kept.")
        raise


@tasks.task(WITHDRAW_TASK, retries=RETRIES, queue="imports")
async def withdraw(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Take back what an import changed."""
    await withdraw_import(
        ImportRun(job.database, job.databases["loader"], ImportLimits(), job.fence, trust_id, import_id)
    )


@tasks.task(WITHDRAWAL_TASK)
async def notify_withdrawal(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust which of its academies' figures a withdrawn national import had changed."""
    await announce_withdrawal(job.database, trust_id, import_id)


@tasks.task(NOTICE_TASK)
async def notify_trust(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust what a national import changed for it."""
    await announce_national(job.database, trust_id, import_id)


@tasks.task(DELETE_TASK)
async def delete_file(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Delete the file of an import that ended some days ago."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await queries.delete_chunks(session, trust_id, import_id)
