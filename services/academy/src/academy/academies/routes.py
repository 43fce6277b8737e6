"""The register of schools over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from academy.academies import service
from academy.academies.errors import AcademyNotFound, NothingToLookUp, TooManyToLookUp
from academy.academies.schemas import (
    AcademyDetailOut,
    AcademyListParams,
    AcademyLookup,
    AcademyLookupOut,
    AcademyPage,
    InspectionPage,
    TrustAcademyPage,
    TrustAcademyParams,
)
from academy.answers import TAGGED, list_answer, plain_answer, tagged_answer
from academy.trusts.errors import TrustNotFound, TrustUnknown
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.resources.pages import ListParams
from kit.web.security import requires
from kit.web.sessions import SessionDep
from sector.parameters import TrustName, Urn

router = APIRouter(tags=["academies"])

Reader = Annotated[Caller, requires("academies:read")]


@router.get(
    "/academies",
    operation_id="academy_list",
    summary="List academies",
    response_model=AcademyPage,
    responses=responses(InvalidCursor, TrustUnknown),
)
async def academy_list(
    request: Request, session: SessionDep, caller: Reader, params: Annotated[AcademyListParams, Query()]
) -> Response:
    """Academies of your own trust today; of another with `trust`, of all England with `trust=any`."""
    items, next_cursor, synced = await service.list_academies(session, caller, params)
    return list_answer(request, items, next_cursor, synced_to=synced)


@router.get(
    "/academies/{urn}",
    operation_id="academy_view",
    summary="View one academy",
    response_model=AcademyDetailOut,
    responses=TAGGED | responses(AcademyNotFound),
)
async def academy_view(request: Request, session: SessionDep, _caller: Reader, urn: Annotated[Urn, Path()]) -> Response:
    """Identifiers, trusts with dates, schools before and after, and the latest inspections side by side."""
    return tagged_answer(request, await service.view_academy(session, urn))


@router.get(
    "/academies/{urn}/inspections",
    operation_id="inspection_list",
    summary="List inspections of an academy",
    response_model=InspectionPage,
    responses=responses(AcademyNotFound, InvalidCursor),
)
async def inspection_list(
    request: Request,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[ListParams, Query()],
) -> Response:
    """Every inspection under every framework, newest first, before or after joining its trust."""
    items, next_cursor = await service.list_inspections(session, caller, urn, params)
    return list_answer(request, items, next_cursor)


@router.post(
    "/academies/lookup",
    operation_id="academy_lookup",
    summary="Look up academies by identifiers",
    response_model=AcademyLookupOut,
    responses=responses(NothingToLookUp, TooManyToLookUp),
    openapi_extra={"x-idempotent": False},
)
async def academy_lookup(session: SessionDep, _caller: Reader, body: AcademyLookup) -> Response:
    """Up to 1,000 URNs, UKPRNs or LAESTABs in one body: what was found, and what no school has."""
    return plain_answer(await service.look_up(session, body))


@router.get(
    "/trusts/{trust}/academies",
    operation_id="trust_academy_list",
    summary="List academies of a trust",
    response_model=TrustAcademyPage,
    responses=responses(TrustNotFound, InvalidCursor),
)
async def trust_academy_list(
    request: Request,
    session: SessionDep,
    caller: Reader,
    trust: Annotated[TrustName, Path()],
    params: Annotated[TrustAcademyParams, Query()],
) -> Response:
    """Academies of a trust with the days on which they joined and left."""
    items, next_cursor = await service.list_trust_academies(session, caller, trust, params)
    return list_answer(request, items, next_cursor)
