"""`/identity/v1/grants`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from gateway.identity.administrators import LastAdministrator
from gateway.identity.grants import service
from gateway.identity.grants.errors import (
    GrantEnded,
    GrantInvalid,
    GrantNotFound,
    GrantToOneself,
    RoleNotGrantable,
)
from gateway.identity.grants.schemas import GrantCreate, GrantOut, GrantPage, GrantParams
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.idempotency import IdempotentRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

router = APIRouter(prefix="/grants", tags=["grants"], route_class=IdempotentRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="grant_list", summary="List grants")
async def grant_list(
    reply: Reply, caller: Reader, session: SessionDep, params: Annotated[GrantParams, Query()]
) -> GrantPage:
    """Returns the grants of your trust: who holds which role, and where. Newest first."""
    return reply.page(await service.list_grants(session, caller, params))


@router.post(
    "",
    operation_id="grant_create",
    summary="Give a role",
    status_code=201,
    responses=CREATED | responses(GrantInvalid, GrantToOneself, RoleNotGrantable),
)
async def grant_create(reply: Reply, caller: Writer, session: SessionDep, body: GrantCreate) -> GrantOut:
    """Gives a role to a person or a client of your trust.

    Somebody else must do it for you, and for a client that you registered when the role allows more than your own.
    """
    grant = await service.create_grant(session, caller, body)
    return reply.created(grant, f"grants/{grant.id}")


@router.get(
    "/{grant_id}",
    operation_id="grant_view",
    summary="View one grant",
    responses=TAGGED | responses(GrantNotFound),
)
async def grant_view(reply: Reply, caller: Reader, session: SessionDep, grant_id: UUID) -> GrantOut:
    """Returns a grant of your trust."""
    return reply.tagged(await service.view_grant(session, caller, grant_id))


@router.post(
    "/{grant_id}/end",
    operation_id="grant_end",
    summary="End a grant",
    responses=TAGGED | responses(GrantNotFound, GrantEnded, LastAdministrator),
)
async def grant_end(reply: Reply, caller: Writer, session: SessionDep, grant_id: UUID, if_match: IfMatch) -> GrantOut:
    """Ends a grant now. Tokens that were issued stay valid until they expire, at most ten minutes."""
    return reply.tagged(await service.end_grant(session, caller, grant_id, if_match))
