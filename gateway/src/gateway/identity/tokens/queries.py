"""What the token endpoint reads of clients and people, before it knows whose request it serves."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import col

from gateway.identity.anonymous import under
from gateway.identity.clients.queries import clients_of, mark_used
from gateway.identity.hashing import digest_of, hint_of
from gateway.identity.tables import Client, ClientSecret, Person
from gateway.identity.tenants.queries import active_tenants
from kit.database.sessions import Session
from kit.ids import PLATFORM


@dataclass(frozen=True, slots=True)
class KnownClient:
    """A client that gets tokens, and what is stored of the secret with the hint that was sent, if there is one."""

    trust_id: UUID
    id: UUID
    kind: str
    hash: str | None
    digest: bytes | None
    """None too for a secret from before digests were kept, until it is used."""


async def is_active_tenant(session: Session, trust_id: UUID) -> bool:
    """Whether anybody gets a token for this trust; the platform is always active."""
    return trust_id == PLATFORM or trust_id in await active_tenants(session, [trust_id])


async def known_client(session: Session, trust_id: UUID, id_: UUID, hint: str, now: datetime) -> KnownClient | None:
    """A client that gets tokens; None when there is none, it is disabled, or its trust is.

    It executes the same statements whatever there is.
    """
    is_active = await is_active_tenant(session, trust_id)
    async with under(session, trust_id):
        of_the_client = and_(
            col(ClientSecret.trust_id) == col(Client.trust_id),
            col(ClientSecret.client_id) == col(Client.id),
            col(ClientSecret.hint) == hint,
            or_(col(ClientSecret.expires_at).is_(None), col(ClientSecret.expires_at) > now),
        )
        statement = (
            clients_of(trust_id)
            .where(col(Client.id) == id_, col(Client.is_active))
            .outerjoin(ClientSecret, of_the_client)
            .add_columns(col(ClientSecret.hash), col(ClientSecret.digest))
        )
        found = (await session.execute(statement)).one_or_none()
    if found is None or not is_active:
        return None
    client, hash_, digest = found
    return KnownClient(trust_id, id_, client.kind, hash_, digest)


async def keep_digest(session: Session, client: KnownClient, secret: str) -> None:
    """Keep the digest of a secret that was checked by its hash."""
    async with under(session, client.trust_id):
        kept = await session.get(ClientSecret, (client.trust_id, client.id, hint_of(secret)))
        if kept is not None:
            kept.digest = digest_of(secret)


async def note_use(session: Session, client: KnownClient, hint: str, on: date) -> None:
    """Remember the day on which a secret was last used; writes once a day."""
    secret = await session.get(ClientSecret, (client.trust_id, client.id, hint))
    if secret is not None and (secret.last_used_on is None or secret.last_used_on < on):
        secret.last_used_on = on
        await mark_used(session, secret)


async def still_active(session: Session, client: KnownClient) -> bool:
    """Whether the client gets tokens still: its secret was checked outside of any transaction."""
    statement = clients_of(client.trust_id).where(col(Client.id) == client.id, col(Client.is_active))
    return (await session.execute(statement)).scalar_one_or_none() is not None


async def active_person(session: Session, trust_id: UUID, id_: UUID) -> Person | None:
    """A person of a trust who gets tokens."""
    statement = select(Person).where(
        col(Person.trust_id) == trust_id,
        col(Person.id) == id_,
        col(Person.deleted_at).is_(None),
        col(Person.is_active),
    )
    return (await session.execute(statement.with_for_update())).scalar_one_or_none()
