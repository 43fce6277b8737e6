"""Listing what an import changed."""

from uuid import UUID

from academy.import_changes import queries
from academy.import_changes.errors import ImportChangesNotKept
from academy.import_changes.schemas import ImportChangeListParams, ImportChangeOut, ImportChangePage
from academy.imports.formats.kinds import KINDS
from academy.imports.service import find_import
from academy.imports.tables import Import
from academy.observations.rules import Layer
from academy.observations.tables import Observation
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import Listing, paginate

AS_BROUGHT = Listing("import-changes", Observation, "id")


async def list_changes(
    session: Session, caller: Caller, import_id: UUID, params: ImportChangeListParams
) -> ImportChangePage:
    """A page of what an import changed. Raises ImportNotFound, ImportChangesNotKept and InvalidCursor."""
    found = await find_import(session, caller, import_id)
    if (why := _why_none(found)) is not None or found.finished_at is None:
        raise ImportChangesNotKept(why)
    statement = queries.changes(caller, found, found.finished_at)
    page = await paginate(session, caller, AS_BROUGHT, statement, params, import_id=str(import_id))
    return ImportChangePage.of(page, lambda row: ImportChangeOut.of(row[0], row[1]))


def _why_none(found: Import) -> str | None:
    if KINDS[found.kind].layer is Layer.NATIONAL:
        return "This import holds published data; read the figures with updated_since, or the change feed."
    if found.dry_run:
        return "This was a trial: it changed nothing."
    if found.state in {"queued", "running", "failed", "cancelled"}:
        return f"This import is {found.state}; only one that succeeded changed figures."
    return None
