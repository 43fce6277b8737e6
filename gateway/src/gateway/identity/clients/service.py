"""Registering, changing and deleting clients, and making their secrets."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from gateway.identity import events, hashing
from gateway.identity.administrators import keeping_an_administrator
from gateway.identity.clients import queries
from gateway.identity.clients.errors import ClientHasNoSecret, ClientNameTaken, ClientNotFound
from gateway.identity.clients.rules import client_id_of
from gateway.identity.clients.schemas import (
    ClientCreate,
    ClientOut,
    ClientPage,
    ClientParams,
    ClientPatch,
    ClientWithSecretOut,
    SecretOut,
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
from kit.resources import cursors
from kit.resources.etags import check_if_match, etag

LIST = "identity.clients"


async def list_clients(session: Session, caller: Caller, params: ClientParams) -> ClientPage:
    """Clients of the caller's trust, newest first."""
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"}, exclude_none=True)
    before = None
    if params.cursor is not None:
        before = UUID(cursors.decode(LIST, params.cursor, tenant=caller.tenant_id, filters=filters)[0])
    found = await queries.client_page(
        session,
        caller,
        kind=params.kind,
        is_active=params.is_active,
        before=before,
        limit=params.limit + 1,
    )
    shown = found[: params.limit]
    secrets = await queries.secrets_of(session, caller.tenant_id, [client.id for client in shown])
    next_cursor = None
    if len(found) > len(shown):
        next_cursor = cursors.encode(LIST, [str(shown[-1].id)], tenant=caller.tenant_id, filters=filters)
    items = [shown_client(client, secrets[client.id]) for client in shown]
    return ClientPage(items=items, next=next_cursor)


async def client_of(session: Session, caller: Caller, id_: UUID, *, lock: bool = False) -> Client:
    """One client. Raises ClientNotFound."""
    client = await queries.client_by_id(session, caller, id_, lock=lock)
    if client is None:
        raise ClientNotFound(f"There is no client {id_} that you may see.")
    return client


async def view_client(session: Session, client: Client) -> ClientOut:
    """A client as the API shows it."""
    secrets = await queries.secrets_of(session, client.trust_id, [client.id])
    return shown_client(client, secrets[client.id])


async def create_client(
    session: Session, hasher: SecretHasher, trust_id: UUID, wanted: ClientCreate, *, by: str
) -> tuple[Client, str | None]:
    """Register a client; gives it with its secret, None for a public one. Raises ClientNameTaken."""
    client = await register_client(session, trust_id, wanted, by=by, id_=uuid7())
    secret = None
    if wanted.kind == "confidential":
        secret, _ = hashing.new_secret()
        await add_secret(session, hasher, client, secret)
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


async def change_client(session: Session, caller: Caller, id_: UUID, patch: ClientPatch, if_match: str) -> Client:
    """Rename, disable or enable. Raises ClientNotFound, ClientNameTaken, LastAdministrator, PreconditionFailed."""
    async with keeping_an_administrator(session, caller.tenant_id):
        client = await client_of(session, caller, id_, lock=True)
        check_if_match(if_match, client_etag(client))
        changes = patch.changes_of(client.model_dump())
        if not changes:
            return client
        before = _facts(client)
        for field, value in changes.items():
            setattr(client, field, value)
        client.updated_at, client.version = clock.now(), client.version + 1
        await _store(session, client)
        await _record(session, events.CLIENT_CHANGED, client, before=before, after=_facts(client), by=caller.subject)
    return client


async def delete_client(session: Session, caller: Caller, id_: UUID, if_match: str) -> None:
    """Delete a client, its secrets and its rights. Raises ClientNotFound, LastAdministrator, PreconditionFailed."""
    async with keeping_an_administrator(session, caller.tenant_id):
        client = await client_of(session, caller, id_, lock=True)
        check_if_match(if_match, client_etag(client))
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
    client = await client_of(session, caller, id_, lock=True)
    check_if_match(if_match, client_etag(client))
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
    await add_secret(session, hasher, client, secret)
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


def client_etag(client: Client) -> str:
    """The version of what is shown of a client."""
    return etag(client.version)


def shown_client(client: Client, secrets: Sequence[ClientSecret]) -> ClientOut:
    """A client as the API shows it."""
    return ClientOut.model_validate(_members(client, secrets))


async def shown_with_secret(session: Session, client: Client, secret: str | None) -> ClientWithSecretOut:
    """A client with the secret that was just made."""
    secrets = await queries.secrets_of(session, client.trust_id, [client.id])
    members = _members(client, secrets[client.id])
    return ClientWithSecretOut.model_validate({**members, "client_secret": secret})


def _members(client: Client, secrets: Sequence[ClientSecret]) -> dict[str, object]:
    return {
        "id": client.id,
        "client_id": client_id_of(client.trust_id, client.id),
        "name": client.name,
        "kind": client.kind,
        "is_active": client.is_active,
        "secrets": [
            SecretOut(
                hint=secret.hint,
                created_at=secret.created_at,
                expires_at=secret.expires_at,
                last_used_on=secret.last_used_on,
            )
            for secret in secrets
        ],
        "created_at": client.created_at,
        "created_by": client.created_by,
        "updated_at": client.updated_at,
    }


async def _store(session: Session, client: Client) -> None:
    try:
        async with session.begin_nested():
            session.add(client)
            await session.flush()
    except IntegrityError as error:
        if "client_name_key" not in str(error.orig):
            raise
        raise ClientNameTaken("Another client has this name; choose another.") from None


async def add_secret(session: Session, hasher: SecretHasher, client: Client, secret: str) -> None:
    """Let a client use this secret too."""
    session.add(
        ClientSecret(
            trust_id=client.trust_id,
            client_id=client.id,
            hint=hashing.hint_of(secret),
            hash=await hasher.hash(secret),
            created_at=clock.now(),
            expires_at=None,
            last_used_on=None,
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
