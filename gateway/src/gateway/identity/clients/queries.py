"""All SQL about clients."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlmodel import col

from gateway.identity.clients.schemas import ClientParams
from gateway.identity.tables import Client, ClientSecret
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import AnySelect
from kit.resources.rows import visible


def clients_of(trust_id: UUID) -> Select[Client]:
    """The clients of a trust that were not deleted."""
    return select(Client).where(col(Client.trust_id) == trust_id, col(Client.deleted_at).is_(None))


def clients(caller: Caller, wanted: ClientParams) -> AnySelect:
    """The clients of the caller's trust, or of the platform, that were not deleted and fit all filters."""
    statement = visible(Client, caller).where(col(Client.deleted_at).is_(None))
    if wanted.kind is not None:
        statement = statement.where(col(Client.kind) == wanted.kind)
    return statement if wanted.is_active is None else statement.where(col(Client.is_active) == wanted.is_active)


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
