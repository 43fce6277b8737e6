"""Trusts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from academy.trusts import service
from academy.trusts.errors import TrustNotFound
from academy.trusts.schemas import TrustListParams, TrustOut, TrustPage
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.replies import TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from sector.parameters import TrustName

router = APIRouter(tags=["trusts"])

Reader = Annotated[Caller, requires("academies:read")]


@router.get("/trusts", operation_id="trust_list", summary="List trusts")
async def trust_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[TrustListParams, Query()]
) -> TrustPage:
    """Returns the trusts of England by name. `q` finds them by words of the name, Group UID, TR reference or UKPRN."""
    return reply.page(await service.list_trusts(session, caller, params))


@router.get(
    "/trusts/{trust}",
    operation_id="trust_view",
    summary="View one trust",
    responses=TAGGED | responses(TrustNotFound),
)
async def trust_view(reply: Reply, session: SessionDep, _: Reader, trust: Annotated[TrustName, Path()]) -> TrustOut:
    """Returns a trust by its id, Group UID or TR reference."""
    return reply.tagged(await service.view_trust(session, trust))
