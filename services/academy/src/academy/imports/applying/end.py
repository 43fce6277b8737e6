"""What follows when an import has ended: its event, and a job that deletes its file some days later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from academy.imports.events import IMPORT_FINISHED, ImportFinished
from kit.database.sessions import Session
from kit.events.recording import record_event
from kit.jobs.queue import defer

FORGET_TASK: Final = "academy.imports.forget"
KEPT_FOR: Final = timedelta(days=7)


async def announce_end(session: Session, ended: dict[str, Any]) -> None:
    """Record the event of an import that has ended, and queue the deletion of its file; its results stay."""
    finished = ImportFinished(
        import_id=ended["id"],
        kind=ended["kind"],
        academic_year=ended["academic_year"],
        dry_run=ended["dry_run"],
        state=ended["state"],
        rows_read=ended["rows_read"],
        rows_accepted=ended["rows_accepted"],
        rows_new=ended["rows_new"],
        rows_changed=ended["rows_changed"],
        errors_total=ended["errors_total"],
    )
    await record_event(session, IMPORT_FINISHED, subject=f"imports/{ended['id']}", urn=None, data=finished)
    delete_at = ended["finished_at"] + KEPT_FOR
    await defer(session, FORGET_TASK, at=delete_at, trust_id=ended["trust_id"], import_id=ended["id"])
