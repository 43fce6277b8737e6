"""What the worker does for imports."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DataError, IntegrityError

from academy.imports import queries
from academy.imports.applying.end import DELETE_TASK
from academy.imports.applying.notices import NOTICE_TASK, WITHDRAWAL_TASK, announce_national, announce_withdrawal
from academy.imports.applying.progress import Progress
from academy.imports.applying.run import SUBJECT, ImportRun, LoadedAlready, ReadingFailed, give_up, run_import
from academy.imports.applying.withdraw import give_up_withdrawal, withdraw_import
from academy.imports.receiving.limits import ImportLimits
from academy.imports.rules import RUN_SMALL_TASK, RUN_TASK, WITHDRAW_TASK, imports_lock
from academy.imports.schemas import Confirmation
from kit.database.sessions import Context
from kit.disks import Disks, StorageFull
from kit.ids import PLATFORM
from kit.jobs.queue import defer_in_turn
from kit.jobs.tasks import JobGivenUp, JobRun, JobTookTooLong, Retries, Tasks, at_most
from kit.settings import StorageSettings
from kit.telemetry.logs import logger

RETRIES: Final = Retries(attempts=8)
# Beyond the limit that an operator may set for an import.
LONGEST: Final = timedelta(hours=6)

tasks = Tasks()

log = logger(__name__)


def _disks() -> Disks:
    """Those of this installation, as its settings name them."""
    return Disks.of(StorageSettings())


@tasks.task(RUN_SMALL_TASK, retries=RETRIES, queue="small-imports", longest=LONGEST)
@tasks.task(RUN_TASK, retries=RETRIES, queue="imports", longest=LONGEST)
async def run(job: JobRun, trust_id: UUID, import_id: UUID, confirmed: str = "") -> None:
    """Run an import to its end; `confirmed` comes in jobs of the release before, which kept it nowhere else."""
    limits = ImportLimits()
    keeps_erased = confirmed == Confirmation.VALUE_WAS_ERASED
    started = ImportRun(
        job.database,
        job.databases["loader"],
        limits,
        job.fence,
        trust_id,
        import_id,
        Progress(disks=_disks()),
        keeps_erased,
    )
    try:
        async with at_most(timedelta(seconds=limits.seconds)):
            await run_import(started)
    except JobGivenUp:
        raise
    except JobTookTooLong:
        log.exception("an import takes too long", import_id=str(import_id))
        detail = f"Reading and applying the file took longer than {limits.seconds:,} s; nothing of it was kept."
        await give_up(started, detail)
    except (ReadingFailed, DataError, IntegrityError):
        # The same file would fail in the same way again.
        log.exception("an import can't be applied", import_id=str(import_id))
        await give_up(started, "The file holds something that we can't read or store; nothing of it was kept.")
    except StorageFull:
        log.warning("there is too little space left to apply an import", import_id=str(import_id))
        if job.attempt >= RETRIES.attempts:
            # One that never began waits on: it is queued again (`find_lost`).
            await give_up(started, "There was too little space left to apply the file; nothing of it was kept.")
        raise
    except Exception:
        if job.attempt >= RETRIES.attempts:
            await give_up(started, "The file couldn't be applied, through no fault of its own; nothing of it was kept.")
        raise


@tasks.task(WITHDRAW_TASK, retries=RETRIES, queue="imports", longest=timedelta(hours=1))
async def withdraw(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Take back what an import changed; after the last try it ends in a state from which it can be asked for again."""
    run = _run(job, trust_id, import_id)
    try:
        # What stood before is written again.
        _disks().check()
        await withdraw_import(run)
    except JobGivenUp:
        raise
    except Exception:
        if job.attempt >= RETRIES.attempts:
            log.exception("an import can't be taken back", import_id=str(import_id))
            await give_up_withdrawal(run)
        raise


@tasks.scheduled("academy.imports.find_lost_withdrawals", cron="25 * * * *", per_trust=True)
async def find_lost_withdrawals(job: JobRun, trust_id: UUID) -> None:
    """End the withdrawals of a trust whose job failed for good, and queue those again that have none."""
    await _end_lost_withdrawals(job, trust_id)


@tasks.scheduled("academy.imports.find_lost_national_withdrawals", cron="25 * * * *")
async def find_lost_national_withdrawals(job: JobRun) -> None:
    """The same for national files."""
    await _end_lost_withdrawals(job, PLATFORM)


async def _end_lost_withdrawals(job: JobRun, tenant: UUID) -> None:
    async with job.database.session(Context(tenant, None, SUBJECT)) as session:
        lost = await queries.lost_withdrawals(session, tenant, WITHDRAW_TASK)
    for import_id, has_failed in lost:
        # Its last try took too long, or the outage lasted when it was to be given up.
        if has_failed and await give_up_withdrawal(_run(job, tenant, import_id)):
            continue
        await _queue_again(job, WITHDRAW_TASK, tenant, import_id)


@tasks.scheduled("academy.imports.find_lost", cron="10,40 * * * *", per_trust=True)
async def find_lost(job: JobRun, trust_id: UUID) -> None:
    """End the imports of a trust whose job failed for good, and queue those again that have none."""
    await _end_lost(job, trust_id)


@tasks.scheduled("academy.imports.find_lost_national", cron="10,40 * * * *")
async def find_lost_national(job: JobRun) -> None:
    """The same for national files."""
    await _end_lost(job, PLATFORM)


async def _end_lost(job: JobRun, tenant: UUID) -> None:
    async with job.database.session(Context(tenant, None, SUBJECT)) as session:
        lost = await queries.lost_imports(session, tenant, (RUN_TASK, RUN_SMALL_TASK))
    for import_id, has_failed in lost:
        if has_failed:
            # A file that took its workers with it isn't given to more of them.
            with contextlib.suppress(LoadedAlready):
                await give_up(_run(job, tenant, import_id), "The file couldn't be applied; nothing of it was kept.")
                continue
        await _queue_again(job, RUN_TASK, tenant, import_id)


def _run(job: JobRun, tenant: UUID, import_id: UUID) -> ImportRun:
    return ImportRun(job.database, job.databases["loader"], ImportLimits(), job.fence, tenant, import_id)


async def _queue_again(job: JobRun, task: str, tenant: UUID, import_id: UUID) -> None:
    async with job.database.session(Context(tenant, None, SUBJECT)) as session:
        await job.fence(session)
        await defer_in_turn(session, task, lock=imports_lock(tenant), trust_id=tenant, import_id=import_id)


@tasks.task(WITHDRAWAL_TASK, queue="ratings")
async def notify_withdrawal(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust which of its academies' figures a withdrawn national import had changed."""
    await announce_withdrawal(job.database, trust_id, import_id)


@tasks.task(NOTICE_TASK, queue="ratings")
async def notify_trust(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust what a national import changed for it."""
    await announce_national(job.database, trust_id, import_id)


@tasks.task(DELETE_TASK)
async def delete_file(job: JobRun, trust_id: UUID, import_id: UUID) -> None:
    """Delete the file of an import that ended some days ago."""
    async with job.database.session(Context(trust_id, None, SUBJECT)) as session:
        await queries.delete_chunks(session, trust_id, import_id)
