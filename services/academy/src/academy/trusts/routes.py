"""Trusts over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from academy.answers import TAGGED, list_answer, tagged_answer
from academy.trusts import service
from academy.trusts.errors import TrustNotFound
from academy.trusts.schemas import TrustListParams, TrustOut, TrustPage
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.web.security import requires
from kit.web.sessions import SessionDep
from sector.parameters import TrustName

router = APIRouter(tags=["trusts"])

Reader = Annotated[Caller, requires("academies:read")]


@router.get(
    "/trusts",
    operation_id="trust_list",
    summary="List trusts",
    response_model=TrustPage,
    responses=responses(InvalidCursor),
)
async def trust_list(
    request: Request, session: SessionDep, caller: Reader, params: Annotated[TrustListParams, Query()]
) -> Response:
    """Trusts of England by name; `q` finds them by part of the name, Group UID, TR reference or UKPRN."""
    items, next_cursor = await service.list_trusts(session, caller, params)
    return list_answer(request, items, next_cursor)


@router.get(
    "/trusts/{trust}",
    operation_id="trust_view",
    summary="View one trust",
    response_model=TrustOut,
    responses=TAGGED | responses(TrustNotFound),
)
async def trust_view(
    request: Request, session: SessionDep, _caller: Reader, trust: Annotated[TrustName, Path()]
) -> Response:
    """One trust by its id, Group UID or TR reference."""
    return tagged_answer(request, await service.view_trust(session, trust))
