"""One import in the background: read the file, apply all of it or nothing, announce the result.

A worker can be killed at any moment; its job is then started again. Nothing is half done: figures, counts, events and
follow-up jobs are committed together (for national files the loader's receipt stands for them). Nothing is done
twice: a second run finds what the first one committed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from polars.exceptions import PanicException

from academy.imports import queries
from academy.imports.applying import end, load, notices
from academy.imports.applying.merge import Counts
from academy.imports.applying.progress import Progress, Stopped
from academy.imports.applying.stage import Staged, stage
from academy.imports.applying.temporary_folders import temporary_folder
from academy.imports.codes import RowCode
from academy.imports.formats.kinds import KINDS
from academy.imports.formats.reading import FileRefused, Reading, RowError
from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.unpacking import Unpacker
from academy.imports.schemas import Confirmation
from academy.imports.tables import Import
from academy.observations.rules import Layer
from academy.parameters import today
from kit import clock
from kit.database.sessions import Context, Database, Session
from kit.disks import StorageFull
from kit.events.quiet import record_late
from kit.jobs.threads import in_thread
from kit.telemetry.logs import logger

SUBJECT: Final = "worker:academy"

log = logger(__name__)

Fence = Callable[[Session], Awaitable[None]]


class ReadingFailed(Exception):
    """The file ran into a fault of ours."""


class LoadedAlready(Exception):
    """The figures of this import stand; it can't fail any more."""


@dataclass(frozen=True, slots=True)
class ImportRun:
    """An import and what it is run with: the service's database, the loader's, the limits, the fence of its job.

    The fence raises when the job was given to another worker meanwhile. `keeps_erased`: a job that the release
    before has queued says that the sender confirmed values that the trust had erased.
    """

    database: Database
    loader: Database
    limits: ImportLimits
    fence: Fence
    tenant: UUID
    import_id: UUID
    progress: Progress = field(default_factory=Progress)
    keeps_erased: bool = False

    @property
    def context(self) -> Context:
        """Sees all imports of the tenant."""
        return Context(self.tenant, None, SUBJECT)

    async def lock(self, session: Session) -> Import:
        """The import, which nobody else can end or cancel until the transaction ends. Raises Stopped."""
        found = await queries.import_by_id(session, self.tenant, self.import_id, lock=True)
        if found is None or found.state != "running":
            raise Stopped
        return found


async def run_import(run: ImportRun) -> None:
    """Run an import to its end, unless it has ended already. Raises StorageFull when there is no room for it."""
    started = await _start(run)
    if started is None:
        log.info("import has ended already", import_id=str(run.import_id))
        return
    with temporary_folder() as folder:
        try:
            async with run.progress.stored(run.database, run.context, run.import_id):
                staged = await _read(run, started, folder)
            if not staged.reading.is_valid:
                await _fail(run, staged.reading)
            elif KINDS[started.kind].layer is Layer.NATIONAL:
                await _apply_national(run, started, staged)
            else:
                await _apply_own(run, started, staged)
        except Stopped:
            log.info("import was cancelled", import_id=str(run.import_id))


async def give_up(run: ImportRun, detail: str) -> None:
    """End an import that can't be applied, for a reason that isn't in any row.

    Raises LoadedAlready for a national one whose figures stand already: only its end is missing, which the next try
    writes, and "nothing was kept" would be untrue.
    """
    async with run.loader.session(run.context) as register:
        if await load.receipt_of(register, run.import_id) is not None:
            raise LoadedAlready(run.import_id)
    reading = Reading()
    reading.refuse([RowError(None, None, RowCode.FAULT, detail)])
    with contextlib.suppress(Stopped):
        await _fail(run, reading)


async def _start(run: ImportRun) -> Import | None:
    """Start, or start again after a worker was killed; None when the import has ended.

    Without room for it the import stays as it is: it waits. Raises StorageFull.
    """
    async with run.database.session(run.context) as session:
        found = await queries.import_by_id(session, run.tenant, run.import_id, lock=True)
        if found is None or found.state not in {"queued", "running"}:
            return None
        run.progress.disks.check(2 * found.size_bytes)
        found.state, found.progress_percent, found.version = "running", 0, found.version + 1
        found.started_at = found.started_at or clock.now()
        if run.keeps_erased:
            found.confirmed = [Confirmation.VALUE_WAS_ERASED.value]
        return found


async def _read(run: ImportRun, started: Import, folder: Path) -> Staged:
    """The file from the database, unpacked, read and laid out in `folder`."""
    plain = folder / "file"
    try:
        await _unpack(run, plain)
    except FileRefused as refused:
        staged = Staged()
        staged.reading.refuse([refused.error()])
        return staged
    day = today()
    try:
        return await in_thread(stage, plain, folder, started, day, run.progress.read)
    except (Stopped, StorageFull, OSError, MemoryError):
        raise
    except (Exception, PanicException) as error:  # a fault of ours that reading again won't mend
        raise ReadingFailed from error


async def _unpack(run: ImportRun, plain: Path) -> None:
    """Write the stored file to `plain`, unpacked."""
    unpacker = Unpacker(run.limits.unpacking)
    with plain.open("wb") as out:

        def write(chunk: bytes | None) -> None:
            for piece in unpacker.finish() if chunk is None else unpacker.feed(chunk):
                out.write(piece)
            run.progress.read(0.0, 0)

        async with run.database.session(run.context) as session:
            number = 0
            while (chunk := await queries.chunk(session, run.tenant, run.import_id, number)) is not None:
                await in_thread(write, chunk)
                number += 1
        await in_thread(write, None)


async def _apply_own(run: ImportRun, started: Import, staged: Staged) -> None:
    """Apply a trust's own figures and end the import, in one transaction. Raises Stopped when it was cancelled."""
    academies = None if started.academies is None else frozenset(started.academies)
    async with run.database.session(Context(run.tenant, academies, SUBJECT), quiet=True) as session:
        await run.fence(session)
        async with run.progress.stored(run.database, run.context, run.import_id):
            counts, warnings = await load.load_own(session, started, staged, report=run.progress.applied)
        staged.reading.warn(warnings)
        running = await run.lock(session)
        await record_late(session)
        if counts.written and not running.dry_run:
            await notices.announce_own(session, running)
        await end.succeed(session, running, staged.reading, counts)


async def _apply_national(run: ImportRun, started: Import, staged: Staged) -> None:
    """Apply national data as the loader, then end the import. Raises Stopped when it was cancelled."""
    async with run.database.session(run.context) as session:
        async with run.loader.session(run.context, quiet=True) as register:
            receipt = await load.receipt_of(register, run.import_id)
            if receipt is None:
                async with run.progress.stored(run.database, run.context, run.import_id):
                    receipt = await load.load_national(register, started, staged, report=run.progress.applied)
            # From here to the end nobody can cancel it or start it again: the loader commits first.
            await run.fence(session)
            running = await run.lock(session)
        if not running.dry_run:
            await notices.queue_for(session, receipt)
        counts = Counts(receipt.rows_new, receipt.rows_changed, receipt.rows_unchanged)
        await end.succeed(session, running, staged.reading, counts)


async def _fail(run: ImportRun, reading: Reading) -> None:
    async with run.database.session(run.context) as session:
        await end.fail(session, await run.lock(session), reading)
