"""Criteria sets over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from academy.criteria import service
from academy.criteria.errors import (
    ComparisonNotSupported,
    CriteriaAlreadyPublished,
    CriteriaPublishedMeanwhile,
    CriteriaSetNotFound,
    CriteriaSetNotSound,
)
from academy.criteria.schemas import (
    CriteriaSetCreate,
    CriteriaSetListParams,
    CriteriaSetOut,
    CriteriaSetPage,
    CriteriaSetPatch,
)
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.idempotency import IdempotentRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

router = APIRouter(tags=["criteria"], route_class=IdempotentRoute)

Reader = Annotated[Caller, requires("criteria:read")]
Writer = Annotated[Caller, requires("criteria:write")]
Publisher = Annotated[Caller, requires("criteria:publish")]

FLAWS = (CriteriaSetNotSound, ComparisonNotSupported)
CHANGES = (CriteriaSetNotFound, CriteriaAlreadyPublished)


@router.get("/criteria-sets", operation_id="criteria_set_list", summary="List criteria sets")
async def criteria_set_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[CriteriaSetListParams, Query()]
) -> CriteriaSetPage:
    """Returns your trust's criteria sets by phase, newest first."""
    return reply.page(await service.list_sets(session, caller, params))


@router.post(
    "/criteria-sets",
    operation_id="criteria_set_create",
    summary="Draft a criteria set",
    status_code=201,
    responses=CREATED | responses(*FLAWS),
)
async def criteria_set_create(
    reply: Reply, session: SessionDep, caller: Writer, body: CriteriaSetCreate
) -> CriteriaSetOut:
    """Creates a draft of the rules for one phase. It rates no academy until it is published."""
    made = await service.draft_set(session, caller, body)
    return reply.created(made, f"criteria-sets/{made.id}")


@router.get(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_view",
    summary="View one criteria set",
    responses=TAGGED | responses(CriteriaSetNotFound),
)
async def criteria_set_view(reply: Reply, session: SessionDep, caller: Reader, criteria_set_id: UUID) -> CriteriaSetOut:
    """Returns a criteria set of your trust, in any state."""
    return reply.tagged(await service.view_set(session, caller, criteria_set_id))


@router.patch(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_change",
    summary="Change a draft",
    responses=TAGGED | responses(*CHANGES, *FLAWS),
)
async def criteria_set_change(
    reply: Reply,
    session: SessionDep,
    caller: Writer,
    criteria_set_id: UUID,
    body: CriteriaSetPatch,
    if_match: IfMatch,
) -> CriteriaSetOut:
    """Changes a draft by a merge patch. A list in the patch replaces the whole list. The phase can't be changed."""
    return reply.tagged(await service.change_draft(session, caller, criteria_set_id, body, if_match))


@router.delete(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_delete",
    summary="Delete a draft",
    status_code=204,
    response_class=Response,
    responses=responses(*CHANGES),
)
async def criteria_set_delete(session: SessionDep, caller: Writer, criteria_set_id: UUID, if_match: IfMatch) -> None:
    """Deletes a draft. A set that was published can't be deleted, so that every rating can be explained."""
    await service.delete_draft(session, caller, criteria_set_id, if_match)


@router.post(
    "/criteria-sets/{criteria_set_id}/publish",
    operation_id="criteria_set_publish",
    summary="Publish a criteria set",
    responses=TAGGED | responses(*CHANGES, CriteriaPublishedMeanwhile, *FLAWS),
)
async def criteria_set_publish(
    reply: Reply, session: SessionDep, caller: Publisher, criteria_set_id: UUID, if_match: IfMatch
) -> CriteriaSetOut:
    """Publishes a draft. It replaces the set that is in force for its phase, and the academies are rated again within
    moments."""
    return reply.tagged(await service.publish(session, caller, criteria_set_id, if_match))
