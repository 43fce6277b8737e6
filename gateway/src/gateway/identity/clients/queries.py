"""All SQL about clients."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlmodel import col

from gateway.identity.tables import Client, ClientSecret
from kit.database.sessions import Session
from kit.identity.callers import Caller


def visible_to(caller: Caller) -> Select[Client]:
    """The clients of the caller's trust, or of the platform, that were not deleted."""
    return clients_of(caller.tenant_id)


def clients_of(trust_id: UUID) -> Select[Client]:
    """The clients of a trust that were not deleted."""
    return select(Client).where(col(Client.trust_id) == trust_id, col(Client.deleted_at).is_(None))


async def client_by_id(session: Session, caller: Caller, id_: UUID, *, lock: bool = False) -> Client | None:
    """One client; with `lock` nobody else changes it until the end of the transaction."""
    statement = visible_to(caller).where(col(Client.id) == id_)
    return (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()


async def client_page(
    session: Session, caller: Caller, *, kind: str | None, is_active: bool | None, before: UUID | None, limit: int
) -> list[Client]:
    """Clients before an id, newest first."""
    statement = visible_to(caller)
    if kind is not None:
        statement = statement.where(col(Client.kind) == kind)
    if is_active is not None:
        statement = statement.where(col(Client.is_active) == is_active)
    if before is not None:
        statement = statement.where(col(Client.id) < before)
    statement = statement.order_by(col(Client.id).desc()).limit(limit)
    return list((await session.execute(statement)).scalars())


async def secrets_of(session: Session, trust_id: UUID, clients: Sequence[UUID]) -> dict[UUID, list[ClientSecret]]:
    """The secrets by client, newest first; also those that count no more, until the next one is made."""
    statement = (
        select(ClientSecret)
        .where(col(ClientSecret.trust_id) == trust_id, col(ClientSecret.client_id).in_(clients))
        .order_by(col(ClientSecret.created_at).desc(), col(ClientSecret.hint))
    )
    found: dict[UUID, list[ClientSecret]] = {id_: [] for id_ in clients}
    for secret in (await session.execute(statement)).scalars():
        found[secret.client_id].append(secret)
    return found


async def forget_secrets(session: Session, client: Client, *, but: str | None = None) -> None:
    """Remove the secrets of a client, or all but the one with this hint."""
    statement = delete(ClientSecret).where(
        col(ClientSecret.trust_id) == client.trust_id, col(ClientSecret.client_id) == client.id
    )
    if but is not None:
        statement = statement.where(col(ClientSecret.hint) != but)
    await session.execute(statement)


async def mark_used(session: Session, secret: ClientSecret) -> None:
    """The client changed in what it shows: its secret was used for the first time today."""
    await session.execute(
        update(Client)
        .where(col(Client.trust_id) == secret.trust_id, col(Client.id) == secret.client_id)
        .values(version=col(Client.version) + 1)
    )
