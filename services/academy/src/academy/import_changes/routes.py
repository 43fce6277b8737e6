"""What an import changed, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from academy.import_changes import service
from academy.import_changes.errors import ImportChangesNotKept
from academy.import_changes.schemas import ImportChangeListParams, ImportChangePage
from academy.imports.errors import ImportNotFound
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.replies import Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["imports"])

Reader = Annotated[Caller, requires("imports:read", "observations:read")]


@router.get(
    "/imports/{import_id}/changes",
    operation_id="import_change_list",
    summary="List what an import changed",
    responses=responses(ImportNotFound, ImportChangesNotKept),
)
async def import_change_list(
    reply: Reply,
    session: SessionDep,
    caller: Reader,
    import_id: UUID,
    params: Annotated[ImportChangeListParams, Query()],
) -> ImportChangePage:
    """Returns the figures that an import of your trust's own figures brought, each with the value before and after.

    Figures that were the same before aren't in the list.
    """
    return reply.page(await service.list_changes(session, caller, import_id, params))
