"""All SQL about names."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from gateway.identity.tables import Client, Person
from kit.database.sessions import Session
from kit.identity.callers import Caller


async def people(session: Session, caller: Caller, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these people of the caller's trust who have one and weren't erased."""
    statement = select(col(Person.id), col(Person.display_name)).where(
        col(Person.trust_id) == caller.tenant_id,
        col(Person.id).in_(ids),
        col(Person.deleted_at).is_(None),
    )
    return {row.id: row.display_name for row in (await session.execute(statement)).all() if row.display_name}


async def clients(session: Session, caller: Caller, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these clients of the caller's trust, also of those that were deleted."""
    statement = select(col(Client.id), col(Client.name)).where(
        col(Client.trust_id) == caller.tenant_id, col(Client.id).in_(ids)
    )
    return {row.id: row.name for row in (await session.execute(statement)).all()}
