"""Moderations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Body, Path, Query, Request, Response

from academy.answers import TAGGED, list_answer
from academy.moderations import service
from academy.moderations.errors import (
    AcademyNotFound,
    LeadsThisAcademy,
    ModerationEnded,
    ModerationNotFound,
    ModerationNotPossible,
    RatingNotCurrent,
    RatingNotFound,
)
from academy.moderations.schemas import (
    ModerationCreate,
    ModerationListParams,
    ModerationOut,
    ModerationPage,
    ModerationWithdraw,
)
from kit.database.sessions import after_commit
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import SealedRoute
from kit.web.prepared import PreparedResponses
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch, not_modified
from sector.parameters import Urn

# A reason is what a person wrote.
router = APIRouter(tags=["moderations"], route_class=SealedRoute)

TAGGED_201: dict[int | str, dict[str, Any]] = {201: TAGGED[200]}

Reader = Annotated[Caller, requires("ratings:read")]
Moderator = Annotated[Caller, requires("ratings:moderate")]


def _answer(found: dict[str, Any], status: int = 200, **headers: str) -> Response:
    told = {name: value for name, value in found.items() if name != "version"}
    headers = {"ETag": service.tag_of(found), **headers}
    return Response(orjson.dumps(told, option=orjson.OPT_UTC_Z), status, headers, "application/json")


def _forget_prepared(request: Request, session: SessionDep, caller: Caller) -> None:
    """The next reader in this process sees the change at once; those in others within a second."""
    prepared: PreparedResponses = request.app.state.tools.prepared
    after_commit(session, lambda: prepared.forget(caller.tenant_id))


@router.post(
    "/ratings/{rating_id}/moderate",
    operation_id="rating_moderate",
    summary="Override a rating",
    status_code=201,
    response_model=ModerationOut,
    responses=TAGGED_201
    | responses(
        RatingNotFound,
        LeadsThisAcademy,
        RatingNotCurrent,
        ModerationNotPossible,
        PreconditionFailed,
        PreconditionRequired,
    ),
)
async def rating_moderate(
    request: Request,
    session: SessionDep,
    caller: Moderator,
    rating_id: UUID,
    body: ModerationCreate,
    if_match: IfMatch,
) -> Response:
    """Override the rating that is told of an academy, and later ones, until the end of `lapses_on` in London, a
    withdrawal, or another override. `If-Match` is the ETag of the rating. The computed colour is told beside it.
    """
    made = await service.moderate(session, caller, rating_id, body, if_match)
    _forget_prepared(request, session, caller)
    prefix = request.url.path.partition("/ratings/")[0]
    return _answer(made, 201, Location=f"{prefix}/moderations/{made['id']}")


@router.get(
    "/moderations/{moderation_id}",
    operation_id="moderation_view",
    summary="View one override",
    response_model=ModerationOut,
    responses=TAGGED | responses(ModerationNotFound),
)
async def moderation_view(request: Request, session: SessionDep, caller: Reader, moderation_id: UUID) -> Response:
    """One override with its reason, its evidence, and whether it counts."""
    found = await service.find(session, caller, moderation_id)
    return not_modified(request, service.tag_of(found)) or _answer(found)


@router.post(
    "/moderations/{moderation_id}/withdraw",
    operation_id="moderation_withdraw",
    summary="Withdraw an override",
    response_model=ModerationOut,
    responses=TAGGED
    | responses(
        ModerationNotFound,
        LeadsThisAcademy,
        ModerationEnded,
        PreconditionFailed,
        PreconditionRequired,
    ),
)
async def moderation_withdraw(
    request: Request,
    session: SessionDep,
    caller: Moderator,
    moderation_id: UUID,
    if_match: IfMatch,
    body: Annotated[ModerationWithdraw | None, Body()] = None,
) -> Response:
    """End an override, with or without a reason: from now on the computed rating is told again."""
    reason = body.reason if body is not None else None
    ended = await service.withdraw(session, caller, moderation_id, if_match, reason=reason)
    _forget_prepared(request, session, caller)
    return _answer(ended)


@router.get(
    "/academies/{urn}/moderations",
    operation_id="academy_moderation_list",
    summary="List the overrides of an academy",
    response_model=ModerationPage,
    responses=responses(AcademyNotFound, InvalidCursor),
)
async def academy_moderation_list(
    request: Request,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[ModerationListParams, Query()],
) -> Response:
    """Every override of the academy's ratings by the caller's trust, newest first."""
    items, following = await service.list_moderations(session, caller, urn, params)
    return list_answer(request, [{k: v for k, v in item.items() if k != "version"} for item in items], following)
