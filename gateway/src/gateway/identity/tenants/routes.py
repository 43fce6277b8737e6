"""`/identity/v1/tenants`, for platform operators."""

from typing import Annotated

from fastapi import APIRouter, Query

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
from kit.problems import responses
from kit.web.idempotency import IdempotentRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

router = APIRouter(prefix="/tenants", tags=["tenants"], route_class=IdempotentRoute)

Operator = Annotated[Caller, requires("platform:admin")]


@router.get("", operation_id="tenant_list", summary="List tenants")
async def tenant_list(
    reply: Reply, caller: Operator, session: SessionDep, params: Annotated[TenantParams, Query()]
) -> TenantPage:
    """Returns the trusts that use Trellis, by name."""
    return reply.page(await service.list_tenants(session, caller, params))


@router.post(
    "",
    operation_id="tenant_create",
    summary="Register a trust",
    status_code=201,
    responses=CREATED | responses(TenantKnown),
)
async def tenant_create(reply: Reply, caller: Operator, session: SessionDep, body: TenantCreate) -> TenantOut:
    """Registers a trust by its Group UID. Its id is derived from it."""
    tenant = await service.create_tenant(session, body, by=caller.subject)
    return reply.created(TenantOut.of(tenant), f"tenants/{tenant.id}")


@router.get(
    "/{tenant}",
    operation_id="tenant_view",
    summary="View one tenant",
    responses=TAGGED | responses(TenantNotFound),
)
async def tenant_view(reply: Reply, _: Operator, session: SessionDep, tenant: TrustReference) -> TenantOut:
    """Returns a tenant by its id, Group UID or TR reference."""
    return reply.tagged(TenantOut.of(await service.tenant_of(session, tenant)))


@router.patch(
    "/{tenant}",
    operation_id="tenant_change",
    summary="Rename, disable or enable a tenant",
    responses=TAGGED | responses(TenantNotFound, TenantKnown),
)
async def tenant_change(
    reply: Reply, caller: Operator, session: SessionDep, tenant: TrustReference, body: TenantPatch, if_match: IfMatch
) -> TenantOut:
    """Changes a tenant by a merge patch. A disabled tenant gets no new tokens; its data is kept."""
    return reply.tagged(TenantOut.of(await service.change_tenant(session, caller, tenant, body, if_match)))


@router.post(
    "/{tenant}/administrators",
    operation_id="tenant_name_administrator",
    summary="Name the first administrator of a trust",
    status_code=201,
    responses=responses(TenantNotFound, TenantHasAdministrator, PersonInvalid, PersonKnown),
)
async def tenant_name_administrator(
    tenant: TrustReference,
    body: AdministratorCreate,
    caller: Operator,
    session: SessionDep,
    equipment: EquipmentDep,
) -> AdministratorOut:
    """Names an administrator of a trust that has none. After that, its administrators name others."""
    return await service.name_administrator(session, equipment, caller, tenant, body)
