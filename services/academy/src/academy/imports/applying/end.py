"""How an import ends: its counts and findings are stored, its event recorded, the deletion of its file queued."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Final

from academy.imports.applying.merge import Counts
from academy.imports.events import IMPORT_FINISHED, Ending, ImportFinished
from academy.imports.formats.conclusions import by_importance, gathered
from academy.imports.formats.reading import Reading
from academy.imports.tables import Import
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import record_event
from kit.jobs.queue import defer

DELETE_TASK: Final = "academy.imports.forget"
KEPT_FOR: Final = timedelta(days=7)


async def succeed(
    session: Session, running: Import, reading: Reading, counts: Counts, *, has_file: bool = True
) -> None:
    """End an import whose rows have been applied."""
    running.rows_new, running.rows_changed, running.rows_unchanged = counts.new, counts.changed, counts.unchanged
    running.progress_percent = 100
    _store_reading(running, reading)
    await end(session, running, "succeeded", has_file=has_file)


async def fail(session: Session, running: Import, reading: Reading) -> None:
    """End an import whose file can't be applied; `reading.errors` say why."""
    running.progress_percent = 100
    _store_reading(running, reading)
    await end(session, running, "failed")


def _store_reading(running: Import, reading: Reading) -> None:
    is_kept = reading.is_valid and not running.dry_run
    running.rows_read, running.rows_accepted = reading.rows_read, reading.rows_accepted if is_kept else 0
    running.rows_ignored, running.comparison_rows = reading.rows_ignored, reading.comparison_rows
    errors = sorted(reading.errors, key=lambda error: error.row or 0)
    running.errors, running.errors_total = [asdict(error) for error in errors], reading.errors_total
    running.warnings = [
        {"column": warning.column, "code": warning.code, "detail": warning.sentence}
        for warning in by_importance(gathered(reading.warnings))
    ]


async def end(
    session: Session,
    ended: Import,
    state: Ending,
    *,
    by: str | None = None,
    as_role: str | None = None,
    has_file: bool = True,
) -> None:
    """End an import in this state, announce it, and queue the deletion of its file if it has one; its results stay.

    `by` and `as_role` say who cancelled it.
    """
    ended.state, ended.finished_at, ended.version = state, clock.now(), ended.version + 1
    await session.flush()
    finished = ImportFinished(
        import_id=ended.id,
        kind=ended.kind,
        academic_year=ended.academic_year,
        dry_run=ended.dry_run,
        state=state,
        rows_read=ended.rows_read,
        rows_accepted=ended.rows_accepted,
        rows_new=ended.rows_new,
        rows_changed=ended.rows_changed,
        errors_total=ended.errors_total,
        by=by,
        as_role=as_role,
    )
    await record_event(session, IMPORT_FINISHED, subject=f"imports/{ended.id}", urn=None, data=finished)
    if has_file:
        delete_at = ended.finished_at + KEPT_FOR
        await defer(session, DELETE_TASK, at=delete_at, trust_id=ended.trust_id, import_id=ended.id)
