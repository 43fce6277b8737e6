"""`/identity/v1/grants`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, status

from gateway.identity.administrators import LastAdministrator
from gateway.identity.days import today
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
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import IdempotentRoute
from kit.web.links import page_links
from kit.web.replies import CREATED
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch, not_modified, tagged

router = APIRouter(prefix="/grants", tags=["grants"], route_class=IdempotentRoute)

Reader = Annotated[Caller, requires("identity:read")]
Writer = Annotated[Caller, requires("identity:write")]


@router.get("", operation_id="grant_list", summary="Grants", responses=responses(InvalidCursor))
async def grant_list(
    params: Annotated[GrantParams, Query()],
    request: Request,
    response: Response,
    caller: Reader,
    session: SessionDep,
) -> GrantPage:
    """Who may do what where in your trust, newest first."""
    page = await service.list_grants(session, caller, params)
    page_links(response, request, page.next)
    return page


@router.post(
    "",
    operation_id="grant_create",
    summary="Give a role",
    status_code=status.HTTP_201_CREATED,
    responses=CREATED | responses(GrantInvalid, GrantToOneself, RoleNotGrantable),
)
async def grant_create(body: GrantCreate, response: Response, caller: Writer, session: SessionDep) -> GrantOut:
    """Give a person or a client of your trust a role there."""
    grant = await service.create_grant(session, caller, body)
    response.headers["Location"] = f"/identity/v1/grants/{grant.id}"
    response.headers["ETag"] = service.grant_etag(grant)
    return service.shown_grant(grant, today())


@router.get(
    "/{grant_id}",
    operation_id="grant_view",
    summary="One grant",
    response_model=GrantOut,
    responses={**tagged(), **responses(GrantNotFound)},
)
async def grant_view(
    grant_id: UUID, request: Request, response: Response, caller: Reader, session: SessionDep
) -> GrantOut | Response:
    """One grant of your trust."""
    grant = await service.grant_of(session, caller, grant_id)
    current = service.grant_etag(grant)
    if (unchanged := not_modified(request, current)) is not None:
        return unchanged
    response.headers["ETag"] = current
    return service.shown_grant(grant, today())


@router.post(
    "/{grant_id}/end",
    operation_id="grant_end",
    summary="End a grant",
    responses={
        **tagged(),
        **responses(GrantNotFound, GrantEnded, LastAdministrator, PreconditionFailed, PreconditionRequired),
    },
)
async def grant_end(
    grant_id: UUID, if_match: IfMatch, response: Response, caller: Writer, session: SessionDep
) -> GrantOut:
    """End a grant now. Tokens that were given out count until they expire, ten minutes at the most."""
    grant = await service.end_grant(session, caller, grant_id, if_match)
    response.headers["ETag"] = service.grant_etag(grant)
    return service.shown_grant(grant, today())
