"""The register of schools over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

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
from academy.trusts.errors import TrustNotFound, TrustUnknown
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import responses
from kit.resources.pages import ListParams
from kit.web.kept import KEPT
from kit.web.replies import TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from sector.parameters import TrustName, Urn

router = APIRouter(tags=["academies"])

Reader = Annotated[Caller, requires("academies:read")]
Finder = Annotated[Caller, requires("academies:read", acts_on=ActsOn.NOTHING)]


@router.get(
    "/academies",
    operation_id="academy_list",
    summary="List academies",
    responses=responses(TrustUnknown),
    openapi_extra=KEPT,
)
async def academy_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[AcademyListParams, Query()]
) -> AcademyPage:
    """Returns the academies of your own trust. Use `trust` for another trust, or `trust=any` for all of England."""
    return reply.page(await service.list_academies(session, caller, params))


@router.get(
    "/academies/{urn}",
    operation_id="academy_view",
    summary="View one academy",
    responses=TAGGED | responses(AcademyNotFound),
    openapi_extra=KEPT,
)
async def academy_view(reply: Reply, session: SessionDep, _: Reader, urn: Annotated[Urn, Path()]) -> AcademyDetailOut:
    """Returns its identifiers, its trusts with dates, its predecessors and successors, and the latest inspections."""
    return reply.tagged(await service.view_academy(session, urn))


@router.get(
    "/academies/{urn}/inspections",
    operation_id="inspection_list",
    summary="List inspections of an academy",
    responses=responses(AcademyNotFound),
    openapi_extra=KEPT,
)
async def inspection_list(
    reply: Reply,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[ListParams, Query()],
) -> InspectionPage:
    """Returns every inspection under every framework, newest first. `joining` shows if it was before or after joining
    its trust."""
    return reply.page(await service.list_inspections(session, caller, urn, params))


@router.post(
    "/academies/lookup",
    operation_id="academy_lookup",
    summary="Look up academies by identifiers",
    responses=responses(NothingToLookUp, TooManyToLookUp),
    openapi_extra={"x-idempotent": False},
)
async def academy_lookup(session: SessionDep, _: Finder, body: AcademyLookup) -> AcademyLookupOut:
    """Takes up to 1,000 URNs, UKPRNs and LAESTABs. Returns the schools that were found, and the identifiers that no
    school has."""
    return await service.look_up(session, body)


@router.get(
    "/trusts/{trust}/academies",
    operation_id="trust_academy_list",
    summary="List academies of a trust",
    responses=responses(TrustNotFound),
    openapi_extra=KEPT,
)
async def trust_academy_list(
    reply: Reply,
    session: SessionDep,
    caller: Reader,
    trust: Annotated[TrustName, Path()],
    params: Annotated[TrustAcademyParams, Query()],
) -> TrustAcademyPage:
    """Returns the academies of a trust with the days on which they joined and left."""
    return reply.page(await service.list_trust_academies(session, caller, trust, params))
