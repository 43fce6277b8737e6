"""Previews over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from academy.criteria.errors import ComparisonNotSupported, CriteriaSetNotFound, CriteriaSetNotSound
from academy.previews import service
from academy.previews.schemas import PreviewOut
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import responses
from kit.web.idempotency import IdempotentRoute
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["criteria"], route_class=IdempotentRoute)

Writer = Annotated[Caller, requires("criteria:write", acts_on=ActsOn.NOTHING)]


@router.post(
    "/criteria-sets/{criteria_set_id}/preview",
    operation_id="criteria_set_preview",
    summary="Preview a criteria set",
    responses=responses(CriteriaSetNotFound, CriteriaSetNotSound, ComparisonNotSupported),
    openapi_extra={"x-idempotent": False},
)
async def criteria_set_preview(session: SessionDep, caller: Writer, criteria_set_id: UUID) -> PreviewOut:
    """Which academies would change colour, or move to another step of it, if this set were published now, and why:
    criterion by criterion, as it is now and as it would be. Nothing is written.
    """
    return await service.preview(session, caller, criteria_set_id)
