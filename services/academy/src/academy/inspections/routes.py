"""Inspections of a trust over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from academy.inspections import service
from academy.inspections.schemas import InspectionListParams, TrustInspectionPage
from academy.trusts.errors import TrustUnknown
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.replies import Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["inspections"])

Reader = Annotated[Caller, requires("academies:read")]


@router.get(
    "/inspections",
    operation_id="trust_inspection_list",
    summary="List inspections of a trust",
    responses=responses(TrustUnknown),
)
async def trust_inspection_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[InspectionListParams, Query()]
) -> TrustInspectionPage:
    """Returns the inspections of every academy of your own trust, newest first. Use `trust` for another trust, or
    `trust=any` for all of England."""
    return reply.page(await service.list_inspections(session, caller, params))
