"""Registering and changing tenants, and naming the first administrator of one."""

from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError

from gateway.identity import events
from gateway.identity.administrators import administered_until
from gateway.identity.anonymous import under
from gateway.identity.days import today
from gateway.identity.equipment import Equipment
from gateway.identity.events import TenantChange, TenantFacts
from gateway.identity.grants.service import add_grant
from gateway.identity.people.schemas import PersonCreate
from gateway.identity.people.service import create_person
from gateway.identity.roles import Extent
from gateway.identity.tables import RoleGrant, Tenant
from gateway.identity.tenants import queries
from gateway.identity.tenants.demo import DEMO_TENANTS
from gateway.identity.tenants.errors import TenantHasAdministrator, TenantKnown, TenantNotFound
from gateway.identity.tenants.schemas import (
    AdministratorCreate,
    AdministratorOut,
    TenantCreate,
    TenantOut,
    TenantPage,
    TenantParams,
    TenantPatch,
)
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import EventType, record_event
from kit.identity.callers import Caller
from kit.ids import PLATFORM, tenant_id, uuid7
from kit.resources.paging import By, Listing, paginate

BY_NAME = Listing("identity.tenants", Tenant, By(func.lower(Tenant.name), str, lambda row: row[0].name.lower()), "id")
_ADMINISTRATOR = "trust-admin"


async def list_tenants(session: Session, caller: Caller, params: TenantParams) -> TenantPage:
    """Tenants by name. Raises InvalidCursor."""
    found = await paginate(session, caller, BY_NAME, queries.tenants(params), params)
    return TenantPage.of(found, TenantOut.of)


async def tenant_of(session: Session, reference: str, *, lock: bool = False) -> Tenant:
    """One tenant by its id, Group UID or TR reference. Raises TenantNotFound."""
    tenant = await queries.tenant_by_reference(session, reference, lock=lock)
    if tenant is None:
        raise TenantNotFound(f"There is no tenant {reference}.")
    return tenant


async def create_tenant(session: Session, wanted: TenantCreate, *, by: str) -> Tenant:
    """Register a trust. Raises TenantKnown."""
    tenant = _new(wanted.group_uid, wanted.group_id, wanted.name, by=by)
    await _store(session, tenant)
    await _record(session, events.TENANT_CREATED, tenant, before=None, by=by)
    return tenant


async def change_tenant(session: Session, caller: Caller, reference: str, patch: TenantPatch, if_match: str) -> Tenant:
    """Rename, disable or enable. Raises TenantNotFound, TenantKnown, PreconditionFailed."""
    tenant = await tenant_of(session, reference, lock=True)
    tenant.check(if_match)
    changes = patch.changes_of(tenant.model_dump())
    if not changes:
        return tenant
    before = _facts(tenant)
    for field, value in changes.items():
        setattr(tenant, field, value)
    tenant.updated_at, tenant.version = clock.now(), tenant.version + 1
    await _store(session, tenant)
    await _record(session, events.TENANT_CHANGED, tenant, before=before, by=caller.subject)
    return tenant


async def name_administrator(
    session: Session, equipment: Equipment, caller: Caller, reference: str, wanted: AdministratorCreate
) -> AdministratorOut:
    """Let somebody administer a trust that nobody administers yet.

    Raises TenantNotFound, TenantHasAdministrator, PersonInvalid, PersonKnown.
    """
    # The lock makes the second of two simultaneous requests see the administrator of the first.
    tenant = await tenant_of(session, reference, lock=True)
    async with under(session, tenant.id):
        if await administered_until(session, tenant.id, today()):
            raise TenantHasAdministrator("The trust's own administrators name further ones.")
        person = await create_person(
            session,
            equipment,
            tenant.id,
            PersonCreate(display_name=None, email=wanted.email, issuer=wanted.issuer, subject=wanted.subject),
            by=caller.subject,
        )
        grant = administrator_grant(tenant.id, person_id=person.id, client_id=None, by=caller.subject)
        await add_grant(session, grant)
    return AdministratorOut(tenant_id=tenant.id, person_id=person.id, grant_id=grant.id)


def administrator_grant(
    trust_id: UUID, *, person_id: UUID | None, client_id: UUID | None, by: str, role: str = _ADMINISTRATOR
) -> RoleGrant:
    """The grant of an administrator: the whole trust, from today, without end."""
    return RoleGrant(
        trust_id=trust_id,
        id=uuid7(),
        role=role,
        person_id=person_id,
        client_id=client_id,
        extent=Extent.TRUST,
        academies=None,
        project_id=None,
        starts_on=today(),
        ends_on=None,
        created_at=clock.now(),
        created_by=by,
        ended_at=None,
        ended_by=None,
        version=1,
    )


async def register_demo_tenants(session: Session) -> None:
    """Make the trusts of the demo tenants, unless they are already."""
    for known in DEMO_TENANTS:
        tenant = _new(known.group_uid, known.group_id, known.name, by="demo")
        if await queries.add_if_unknown(session, tenant):
            await _record(session, events.TENANT_CREATED, tenant, before=None, by="demo")


def _new(group_uid: str, group_id: str | None, name: str, *, by: str) -> Tenant:
    now = clock.now()
    return Tenant(
        id=tenant_id(f"gias-group:{group_uid}"),
        group_uid=group_uid,
        group_id=group_id,
        name=name,
        is_active=True,
        created_at=now,
        created_by=by,
        updated_at=now,
        version=1,
    )


async def _store(session: Session, tenant: Tenant) -> None:
    try:
        async with session.begin_nested():
            session.add(tenant)
            await session.flush()
    except IntegrityError as error:
        if not any(key in str(error.orig) for key in ("tenant_pkey", "tenant_group_")):
            raise
        raise TenantKnown("A tenant has this Group UID or TR reference already.") from None


def _facts(tenant: Tenant) -> TenantFacts:
    return TenantFacts(tenant_id=tenant.id, group_uid=tenant.group_uid, name=tenant.name, is_active=tenant.is_active)


async def _record(session: Session, kind: EventType, tenant: Tenant, *, before: TenantFacts | None, by: str) -> None:
    await record_event(
        session,
        kind,
        subject=f"tenants/{tenant.id}",
        urn=None,
        data=TenantChange(before=before, after=_facts(tenant), by=by),
        tenant_id=PLATFORM,
    )
