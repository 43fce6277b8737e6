"""The story of one import in the background: read the file, apply all of it or nothing, tell what came of it.

A worker can be killed at any moment and its job is then begun again. Nothing is half: figures, counts, events and
follow-up jobs are committed together (for national files the loader's receipt stands for them). Nothing is doubled:
what a first run committed, a second one finds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from polars.exceptions import PanicException

from academy.imports import queries
from academy.imports.applying import load as loading
from academy.imports.applying.end import announce_end
from academy.imports.applying.merge import Counts
from academy.imports.applying.stage import Staged, Stopped, stage
from academy.imports.applying.temporary_folders import temporary_folder
from academy.imports.formats.kinds import KINDS
from academy.imports.formats.reading import FileRefused, Reading, RowError
from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.unpacking import Unpacker, UnpackLimits
from academy.imports.rules import Layer
from academy.parameters import today
from kit import clock
from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context, Database, Session
from kit.telemetry.logs import logger
from sector.years import academic_year_on

TICK_SECONDS: Final = 0.5
READ_PERCENT: Final = 60
APPLIED_PERCENT: Final = 99
SUBJECT: Final = "worker:academy"

log = logger(__name__)


Fence = Callable[[Session], Awaitable[None]]


class ReadingFailed(Exception):
    """The file ran into a fault of ours."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What an import is run with: the service's database, the loader's, the limits, and the fence of its job.

    The fence raises when the job was given to another worker meanwhile.
    """

    database: Database
    loader: Database
    limits: ImportLimits
    fence: Fence


@dataclass(slots=True)
class Progress:
    """How far a running import is; told to the database now and then, and asked whether to go on."""

    percent: int = 0
    rows_read: int = 0
    is_stopped: bool = False

    def read(self, done: float, rows_read: int) -> bool:
        """Some of the file has been read; False when it shall not go on. Called from the reading thread."""
        self.percent = max(self.percent, int(done * READ_PERCENT))
        self.rows_read = rows_read
        return not self.is_stopped

    def applied(self, part: float) -> None:
        """Some of it has been applied."""
        self.percent = READ_PERCENT + int(part * (APPLIED_PERCENT - READ_PERCENT))
        if self.is_stopped:
            raise Stopped


async def run_import(workshop: Workshop, tenant: UUID, import_id: UUID) -> None:
    """Run an import to its end, unless it has come there already."""
    context = Context(tenant, None, SUBJECT)
    async with workshop.database.session(context) as session:
        started = await queries.start(session, tenant, import_id, now=clock.now())
    if started is None:
        log.info("import has ended already", import_id=str(import_id))
        return
    progress = Progress()
    with temporary_folder() as folder:
        try:
            async with _telling(workshop.database, context, import_id, progress):
                staged = await _read(workshop, context, started, folder, progress)
            if staged.reading.is_valid:
                await _apply(workshop, context, started, staged, progress)
            else:
                await _refuse(workshop.database, context, import_id, staged.reading)
        except Stopped:
            log.info("import was cancelled", import_id=str(import_id))


async def _read(
    workshop: Workshop, context: Context, started: dict[str, Any], folder: Path, progress: Progress
) -> Staged:
    """The file out of the database, unpacked, read and laid out in `folder`."""
    plain = folder / "file"
    try:
        await _unpack(workshop.database, context, started["id"], plain, workshop.limits.unpacking)
    except FileRefused as refused:
        staged = Staged()
        staged.reading.refuse([RowError(refused.row, refused.column, refused.code, refused.detail)])
        return staged
    academies = started["academies"]
    try:
        return await asyncio.to_thread(
            stage,
            plain,
            folder,
            kind=started["kind"],
            academic_year=started["academic_year"],
            release=started["release"],
            academies=None if academies is None else frozenset(academies),
            latest_year=academic_year_on(today()),
            progress=progress.read,
        )
    except (Stopped, OSError, MemoryError):
        raise
    except (Exception, PanicException) as error:  # a fault of ours that reading again won't mend
        raise ReadingFailed from error


async def _unpack(database: Database, context: Context, import_id: UUID, target: Path, limits: UnpackLimits) -> None:
    """Write the plain file to `target`, a chunk at a time. Raises FileRefused."""
    unpacker = Unpacker(limits)
    with target.open("wb") as out:

        def write(chunk: bytes | None) -> None:
            for plain in unpacker.finish() if chunk is None else unpacker.feed(chunk):
                out.write(plain)

        async with database.session(context) as session:
            number = 0
            while (chunk := await queries.chunk(session, context.tenant_id, import_id, number)) is not None:
                await asyncio.to_thread(write, chunk)
                number += 1
        await asyncio.to_thread(write, None)


@asynccontextmanager
async def _telling(database: Database, context: Context, import_id: UUID, progress: Progress) -> AsyncIterator[None]:
    """Tell the progress from transactions of its own, so that others can follow a running import."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                async with database.session(context) as session:
                    is_running = await queries.progress(
                        session, context.tenant_id, import_id, percent=progress.percent, rows_read=progress.rows_read
                    )
            except DatabaseUnavailable:
                # What the import itself needs of the database decides; this can wait.
                continue
            if not is_running:
                progress.is_stopped = True
                return

    task = asyncio.create_task(tell(), name="import progress")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _apply(
    workshop: Workshop, context: Context, started: dict[str, Any], staged: Staged, progress: Progress
) -> None:
    """Bring the rows in and end the import, together. Raises Stopped when it was cancelled meanwhile."""
    kind = KINDS[started["kind"]]
    run = _apply_national if kind.layer is Layer.NATIONAL else _apply_trust
    await run(workshop, context, started, staged, progress)


async def _apply_trust(
    workshop: Workshop, context: Context, started: dict[str, Any], staged: Staged, progress: Progress
) -> None:
    tenant, import_id = context.tenant_id, started["id"]
    academies = None if started["academies"] is None else frozenset(started["academies"])
    async with workshop.database.session(Context(tenant, academies, SUBJECT)) as session:
        await workshop.fence(session)
        async with _telling(workshop.database, context, import_id, progress):
            loaded = await loading.load_trust(session, started, staged, report=progress.applied)
        staged.reading.warnings.extend(loaded.warnings)
        ended = await queries.finish(session, tenant, import_id, _ending(staged.reading, loaded.counts))
        if ended is None:
            raise Stopped
        if not started["dry_run"]:
            await loading.tell_trust(session, started, loaded)
        await announce_end(session, ended)


async def _apply_national(
    workshop: Workshop, context: Context, started: dict[str, Any], staged: Staged, progress: Progress
) -> None:
    tenant, import_id = context.tenant_id, started["id"]
    async with workshop.database.session(context) as session:
        async with workshop.loader.session(context) as register:
            receipt = await loading.receipt_of(register, import_id)
            if receipt is None:
                async with _telling(workshop.database, context, import_id, progress):
                    receipt = await loading.load_national(register, started, staged, report=progress.applied)
            # From here to the end nobody can cancel it or begin it again: the loader commits first.
            await workshop.fence(session)
            held = await queries.import_view(session, tenant, import_id, for_update=True)
            if held is None or held["state"] != "running":
                raise Stopped
        ended = await queries.finish(session, tenant, import_id, _ending(staged.reading, receipt.counts))
        assert ended is not None
        if not started["dry_run"]:
            await loading.defer_affected(session, started, receipt)
        await announce_end(session, ended)


async def _refuse(database: Database, context: Context, import_id: UUID, reading: Reading) -> None:
    """End an import whose file can't be kept."""
    async with database.session(context) as session:
        values = {**_ending(reading, Counts()), "state": "failed"}
        ended = await queries.finish(session, context.tenant_id, import_id, values)
        if ended is not None:
            await announce_end(session, ended)


async def give_up(database: Database, tenant: UUID, import_id: UUID, code: str, detail: str) -> None:
    """End an import that can't be applied, for a reason that isn't in any row."""
    reading = Reading()
    reading.refuse([RowError(None, None, code, detail)])
    await _refuse(database, Context(tenant, None, SUBJECT), import_id, reading)


def _ending(reading: Reading, counts: Counts) -> dict[str, Any]:
    return {
        "state": "succeeded",
        "now": clock.now(),
        "percent": 100,
        "rows_read": reading.rows_read,
        "rows_accepted": reading.rows_accepted,
        "rows_ignored": reading.rows_ignored,
        "comparison_rows": reading.comparison_rows,
        "rows_new": counts.new,
        "rows_changed": counts.changed,
        "rows_unchanged": counts.unchanged,
        "errors": [asdict(error) for error in reading.errors],
        "errors_total": reading.errors_total,
        "warnings": [asdict(warning) for warning in reading.warnings],
    }
