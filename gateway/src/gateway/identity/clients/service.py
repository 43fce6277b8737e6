"""Registering, changing and deleting clients, and making their secrets."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from gateway.identity import events, hashing
from gateway.identity.administrators import keeping_an_administrator
from gateway.identity.clients import queries
from gateway.identity.clients.errors import ClientHasNoSecret, ClientNameTaken, ClientNotFound
from gateway.identity.clients.schemas import (
    ClientCreate,
    ClientOut,
    ClientPage,
    ClientParams,
    ClientPatch,
    ClientWithSecretOut,
    SecretRotation,
)
from gateway.identity.events import ClientChange, ClientFacts, SecretChange
from gateway.identity.grants.queries import open_grants
from gateway.identity.grants.service import end_grants
from gateway.identity.hashing import SecretHasher
from gateway.identity.tables import Client, ClientSecret
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import EventType, record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import Listing, paginate
from kit.resources.rows import find

NEWEST = Listing("identity.clients", Client, "-id")


async def list_clients(session: Session, caller: Caller, params: ClientParams) -> ClientPage:
    """Clients of the caller's trust, newest first. Raises InvalidCursor."""
    found = await paginate(session, caller, NEWEST, queries.clients(caller, params), params)
    secrets = await queries.secrets_of(session, caller.tenant_id, [client.id for client in found.rows])
    return ClientPage.of(found, lambda client: ClientOut.of(client, secrets[client.id]))


async def view_client(session: Session, caller: Caller, id_: UUID) -> ClientOut:
    """One client. Raises ClientNotFound."""
    return await _shown(session, await _find(session, caller, id_))


async def _find(session: Session, caller: Caller, id_: UUID, *, lock: bool = False) -> Client:
    client = await find(session, caller, Client, id_, lock=lock)
    if client is None or client.deleted_at is not None:
        raise ClientNotFound(f"There is no client {id_} that you may see.")
    return client


async def _shown(session: Session, client: Client) -> ClientOut:
    secrets = await queries.secrets_of(session, client.trust_id, [client.id])
    return ClientOut.of(client, secrets[client.id])


async def with_secret(session: Session, client: Client, secret: str | None) -> ClientWithSecretOut:
    """A client with the secret that was just made."""
    return ClientWithSecretOut.made(await _shown(session, client), secret)


async def create_client(
    session: Session, hasher: SecretHasher, trust_id: UUID, wanted: ClientCreate, *, by: str
) -> tuple[Client, str | None]:
    """Register a client; gives it with its secret, None for a public one. Raises ClientNameTaken."""
    client = await register_client(session, trust_id, wanted, by=by, id_=uuid7())
    secret = None
    if wanted.kind == "confidential":
        secret, _ = hashing.new_secret()
        await add_secret(session, hasher, client, secret, by=by)
    return client, secret


async def register_client(session: Session, trust_id: UUID, wanted: ClientCreate, *, by: str, id_: UUID) -> Client:
    """Register a client that has no secret yet. Raises ClientNameTaken."""
    now = clock.now()
    client = Client(
        trust_id=trust_id,
        id=id_,
        name=wanted.name,
        kind=wanted.kind,
        is_active=True,
        created_at=now,
        created_by=by,
        updated_at=now,
        deleted_at=None,
        version=1,
    )
    await _store(session, client)
    await _record(session, events.CLIENT_CREATED, client, before=None, after=_facts(client), by=by)
    return client


async def change_client(session: Session, caller: Caller, id_: UUID, patch: ClientPatch, if_match: str) -> ClientOut:
    """Rename, disable or enable. Raises ClientNotFound, ClientNameTaken, LastAdministrator, PreconditionFailed."""
    async with keeping_an_administrator(session, caller.tenant_id):
        client = await _find(session, caller, id_, lock=True)
        client.check(if_match)
        changes = patch.changes_of(client.model_dump())
        if not changes:
            return await _shown(session, client)
        before = _facts(client)
        for field, value in changes.items():
            setattr(client, field, value)
        client.updated_at, client.version = clock.now(), client.version + 1
        await _store(session, client)
        await _record(session, events.CLIENT_CHANGED, client, before=before, after=_facts(client), by=caller.subject)
    return await _shown(session, client)


async def delete_client(session: Session, caller: Caller, id_: UUID, if_match: str) -> None:
    """Delete a client, its secrets and its rights. Raises ClientNotFound, LastAdministrator, PreconditionFailed."""
    async with keeping_an_administrator(session, caller.tenant_id):
        client = await _find(session, caller, id_, lock=True)
        client.check(if_match)
        before = _facts(client)
        now = clock.now()
        grants = await open_grants(session, client.trust_id, client_id=client.id)
        await end_grants(session, grants, by=caller.subject)
        await queries.forget_secrets(session, client)
        client.is_active, client.deleted_at, client.updated_at = False, now, now
        client.version += 1
        await _record(session, events.CLIENT_DELETED, client, before=before, after=None, by=caller.subject)


async def rotate_secret(
    session: Session, hasher: SecretHasher, caller: Caller, id_: UUID, wanted: SecretRotation, if_match: str
) -> tuple[Client, str]:
    """A new secret; the newest before counts on for a while, others no more.

    Raises ClientNotFound, ClientHasNoSecret, PreconditionFailed.
    """
    client = await _find(session, caller, id_, lock=True)
    client.check(if_match)
    if client.kind == "public":
        raise ClientHasNoSecret("A public client brings the ID tokens of people and no secret.")
    now = clock.now()
    present = (await queries.secrets_of(session, client.trust_id, [client.id]))[client.id]
    counting = [secret for secret in present if secret.expires_at is None or secret.expires_at > now]
    kept = counting[0] if counting and wanted.overlap_hours else None
    await queries.forget_secrets(session, client, but=kept.hint if kept else None)
    if kept is not None:
        end = now + timedelta(hours=wanted.overlap_hours)
        kept.expires_at = min(kept.expires_at or end, end)
    secret, _ = hashing.new_secret()
    await add_secret(session, hasher, client, secret, by=caller.subject)
    client.updated_at, client.version = now, client.version + 1
    await session.flush()
    await record_event(
        session,
        events.SECRET_ROTATED,
        subject=f"clients/{client.id}",
        urn=None,
        data=SecretChange(client_id=client.id, hint=hashing.hint_of(secret), by=caller.subject),
    )
    return client, secret


async def _store(session: Session, client: Client) -> None:
    try:
        async with session.begin_nested():
            session.add(client)
            await session.flush()
    except IntegrityError as error:
        if "client_name_key" not in str(error.orig):
            raise
        raise ClientNameTaken("Another client has this name; choose another.") from None


async def add_secret(session: Session, hasher: SecretHasher, client: Client, secret: str, *, by: str) -> None:
    """Let a client use this secret too, which was made for `by`."""
    session.add(
        ClientSecret(
            trust_id=client.trust_id,
            client_id=client.id,
            hint=hashing.hint_of(secret),
            hash=await hasher.hash(secret),
            created_at=clock.now(),
            expires_at=None,
            last_used_on=None,
            digest=hashing.digest_of(secret),
            created_by=by,
        )
    )
    await session.flush()


def _facts(client: Client) -> ClientFacts:
    return ClientFacts(client_id=client.id, name=client.name, kind=client.kind, is_active=client.is_active)


async def _record(
    session: Session,
    kind: EventType,
    client: Client,
    *,
    before: ClientFacts | None,
    after: ClientFacts | None,
    by: str,
) -> None:
    await record_event(
        session,
        kind,
        subject=f"clients/{client.id}",
        urn=None,
        data=ClientChange(before=before, after=after, by=by),
        tenant_id=client.trust_id,
    )
