"""`/identity/v1/tenants`, for platform operators."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from gateway.identity.equipping import EquipmentDep
from gateway.identity.people.errors import PersonInvalid, PersonKnown
from gateway.identity.tenants import service
from gateway.identity.tenants.errors import TenantHasAdministrator, TenantKnown, TenantNotFound
from gateway.identity.tenants.schemas import (
    AdministratorCreate,
    AdministratorOut,
    TenantCreate,
    TenantOut,
    TenantPage,
    TenantParams,
    TenantPatch,
    TrustReference,
)
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, PreconditionFailed, PreconditionRequired, responses
from kit.web.idempotency import IdempotentRoute
from kit.web.links import page_links
from kit.web.replies import CREATED
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch, not_modified, tagged

router = APIRouter(prefix="/tenants", tags=["tenants"], route_class=IdempotentRoute)

Operator = Annotated[Caller, requires("platform:admin")]


@router.get("", operation_id="tenant_list", summary="Tenants", responses=responses(InvalidCursor))
async def tenant_list(
    params: Annotated[TenantParams, Query()],
    request: Request,
    response: Response,
    _: Operator,
    session: SessionDep,
) -> TenantPage:
    """The trusts that use Trellis, by name."""
    page = await service.list_tenants(session, params)
    page_links(response, request, page.next)
    return page


@router.post(
    "",
    operation_id="tenant_create",
    summary="Register a trust",
    status_code=status.HTTP_201_CREATED,
    responses=CREATED | responses(TenantKnown),
)
async def tenant_create(body: TenantCreate, response: Response, caller: Operator, session: SessionDep) -> TenantOut:
    """Register a trust by its Group UID, from which its id follows."""
    tenant = await service.create_tenant(session, body, by=caller.subject)
    response.headers["Location"] = f"/identity/v1/tenants/{tenant.id}"
    response.headers["ETag"] = service.tenant_etag(tenant)
    return service.shown_tenant(tenant)


@router.get(
    "/{tenant}",
    operation_id="tenant_view",
    summary="One tenant",
    response_model=TenantOut,
    responses={**tagged(), **responses(TenantNotFound)},
)
async def tenant_view(
    tenant: TrustReference, request: Request, response: Response, _: Operator, session: SessionDep
) -> TenantOut | Response:
    """One tenant, by its id, Group UID or TR reference."""
    found = await service.tenant_of(session, tenant)
    current = service.tenant_etag(found)
    if (unchanged := not_modified(request, current)) is not None:
        return unchanged
    response.headers["ETag"] = current
    return service.shown_tenant(found)


@router.patch(
    "/{tenant}",
    operation_id="tenant_change",
    summary="Rename, disable or enable a tenant",
    responses={**tagged(), **responses(TenantNotFound, TenantKnown, PreconditionFailed, PreconditionRequired)},
)
async def tenant_change(
    tenant: TrustReference,
    body: TenantPatch,
    if_match: IfMatch,
    response: Response,
    caller: Operator,
    session: SessionDep,
) -> TenantOut:
    """Nobody gets a token for a disabled tenant; its data stays."""
    changed = await service.change_tenant(session, caller, tenant, body, if_match)
    response.headers["ETag"] = service.tenant_etag(changed)
    return service.shown_tenant(changed)


@router.post(
    "/{tenant}/administrators",
    operation_id="tenant_name_administrator",
    summary="Name the first administrator of a trust",
    status_code=status.HTTP_201_CREATED,
    responses=responses(TenantNotFound, TenantHasAdministrator, PersonInvalid, PersonKnown),
)
async def tenant_name_administrator(
    tenant: TrustReference,
    body: AdministratorCreate,
    caller: Operator,
    session: SessionDep,
    equipment: EquipmentDep,
) -> AdministratorOut:
    """Only for a trust without administrators: once it has one, they alone name others."""
    return await service.name_administrator(session, equipment, caller, tenant, body)
