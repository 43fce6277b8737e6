"""All SQL about tenants. The table belongs to the platform and holds what GIAS publishes."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from gateway.identity.tables import Tenant
from gateway.identity.tenants.schemas import TenantParams
from kit.database.sessions import Session
from kit.resources.paging import AnySelect
from sector.trusts import trust_reference


async def tenant_by_reference(session: Session, reference: str, *, lock: bool = False) -> Tenant | None:
    """A tenant by its id, Group UID or TR reference; with `lock` nobody else changes it meanwhile."""
    match trust_reference(reference):
        case None:
            return None
        case (column, value):
            statement = select(Tenant).where(getattr(Tenant, column) == value)
        case id_:
            statement = select(Tenant).where(col(Tenant.id) == id_)
    return (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def tenant_by_id(session: Session, id_: UUID) -> Tenant | None:
    """A tenant by its id."""
    return await session.get(Tenant, id_)


async def active_tenants(session: Session, ids: Collection[UUID]) -> set[UUID]:
    """Which of these are active tenants."""
    statement = select(col(Tenant.id)).where(col(Tenant.id).in_(ids), col(Tenant.is_active))
    return set((await session.execute(statement)).scalars())


def tenants(wanted: TenantParams) -> AnySelect:
    """The tenants that fit all filters."""
    statement = select(Tenant)
    return statement if wanted.is_active is None else statement.where(col(Tenant.is_active) == wanted.is_active)


async def add_if_unknown(session: Session, tenant: Tenant) -> bool:
    """Store a tenant unless it is known already; whether it was stored."""
    statement = insert(Tenant).values(tenant.model_dump()).on_conflict_do_nothing().returning(col(Tenant.id))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def tenant_ids(session: Session) -> list[UUID]:
    """Every tenant, active or not."""
    return list((await session.execute(select(col(Tenant.id)).order_by(col(Tenant.id)))).scalars())
