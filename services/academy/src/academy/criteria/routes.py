"""Criteria sets over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from academy.answers import TAGGED, list_answer, tagged_answer
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
from academy.criteria.tables import CriteriaSet
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import IdempotentRoute
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

router = APIRouter(tags=["criteria"], route_class=IdempotentRoute)

Reader = Annotated[Caller, requires("criteria:read")]
Writer = Annotated[Caller, requires("criteria:write")]
Publisher = Annotated[Caller, requires("criteria:publish")]

TAGGED_201: dict[int | str, dict[str, Any]] = {201: TAGGED[200]}
FLAWS = (CriteriaSetNotSound, ComparisonNotSupported)
CHANGES = (CriteriaSetNotFound, PreconditionFailed, PreconditionRequired, CriteriaAlreadyPublished)


def _answer(found: CriteriaSet, status: int = 200, **headers: str) -> Response:
    headers = {"ETag": service.tag_of(found), **headers}
    return Response(orjson.dumps(service.told(found), option=orjson.OPT_UTC_Z), status, headers, "application/json")


@router.get(
    "/criteria-sets",
    operation_id="criteria_set_list",
    summary="List criteria sets",
    response_model=CriteriaSetPage,
    responses=responses(InvalidCursor),
)
async def criteria_set_list(
    request: Request, session: SessionDep, caller: Reader, params: Annotated[CriteriaSetListParams, Query()]
) -> Response:
    """The trust's criteria sets by phase, newest first."""
    items, following = await service.list_sets(session, caller, params)
    return list_answer(request, items, following)


@router.post(
    "/criteria-sets",
    operation_id="criteria_set_create",
    summary="Draft a criteria set",
    status_code=201,
    response_model=CriteriaSetOut,
    responses=TAGGED_201 | responses(*FLAWS),
)
async def criteria_set_create(
    request: Request, session: SessionDep, caller: Writer, body: CriteriaSetCreate
) -> Response:
    """Keep a draft of the rules for one phase. It rates nobody until it is published."""
    made = await service.draft_set(session, caller, body)
    return _answer(made, 201, Location=f"{request.url.path}/{made.id}")


@router.get(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_view",
    summary="View one criteria set",
    response_model=CriteriaSetOut,
    responses=TAGGED | responses(CriteriaSetNotFound),
)
async def criteria_set_view(request: Request, session: SessionDep, caller: Reader, criteria_set_id: UUID) -> Response:
    """One criteria set of the trust, in whatever state."""
    found = await service.find_set(session, caller, criteria_set_id)
    return tagged_answer(request, service.told(found), found.version)


@router.patch(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_change",
    summary="Change a draft",
    response_model=CriteriaSetOut,
    responses=TAGGED | responses(*CHANGES, *FLAWS),
)
async def criteria_set_change(
    session: SessionDep, caller: Writer, criteria_set_id: UUID, body: CriteriaSetPatch, if_match: IfMatch
) -> Response:
    """Change a draft by a merge patch: a list that is given replaces the old one. The phase stays."""
    return _answer(await service.change_draft(session, caller, criteria_set_id, body, if_match))


@router.delete(
    "/criteria-sets/{criteria_set_id}",
    operation_id="criteria_set_delete",
    summary="Delete a draft",
    status_code=204,
    response_class=Response,
    responses=responses(*CHANGES),
)
async def criteria_set_delete(session: SessionDep, caller: Writer, criteria_set_id: UUID, if_match: IfMatch) -> None:
    """Delete a draft. What was published once stays, so that every rating can be explained."""
    await service.delete_draft(session, caller, criteria_set_id, if_match)


@router.post(
    "/criteria-sets/{criteria_set_id}/publish",
    operation_id="criteria_set_publish",
    summary="Publish a criteria set",
    response_model=CriteriaSetOut,
    responses=TAGGED | responses(*CHANGES, CriteriaPublishedMeanwhile, *FLAWS),
)
async def criteria_set_publish(
    session: SessionDep, caller: Publisher, criteria_set_id: UUID, if_match: IfMatch
) -> Response:
    """Let a draft rate the academies of its phase. The set before is retired; new ratings follow within moments."""
    return _answer(await service.publish(session, caller, criteria_set_id, if_match))
