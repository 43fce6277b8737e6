"""The services' own clients: one each, by which a service reads from the others in a job and follows their feeds.

Identity registers them when it starts, with the secrets that its settings name. What an operator changed about one
(disabled it, ended its grants, deleted it) stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.identity import hashing
from gateway.identity.anonymous import under
from gateway.identity.clients.queries import forget_secrets, secrets_of
from gateway.identity.clients.rules import service_client, service_client_id
from gateway.identity.clients.schemas import ClientCreate
from gateway.identity.clients.service import add_secret, register_client
from gateway.identity.grants.service import add_grant
from gateway.identity.hashing import SecretHasher
from gateway.identity.roles import FOLLOWER, SERVICE_READER
from gateway.identity.tables import Client
from gateway.identity.tenants.service import administrator_grant
from kit.database.sessions import Session
from kit.ids import PLATFORM
from kit.telemetry.logs import logger

SERVICES: Final = ("academy", "research", "reporting")
"""The services that call others in jobs."""

ROLES_OF_SERVICES: Final = (SERVICE_READER, FOLLOWER)
BY: Final = "command:service-clients"

# One process at a time registers them.
_LOCK: Final = 7_465_686_983

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ServiceCredentials:
    """What a service proves itself with."""

    service: str
    client_id: str
    client_secret: str


async def register_service_clients(session: Session, hasher: SecretHasher, secrets: Mapping[str, str]) -> None:
    """Register the clients that are missing, and give each the secret that stands in the settings.

    Raises ClientNameTaken.
    """
    if not secrets:
        return
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    async with under(session, PLATFORM, subject=BY):
        for service, secret in secrets.items():
            await _register(session, hasher, service, secret)


async def make_service_clients(
    session: Session, hasher: SecretHasher, services: Sequence[str] = SERVICES
) -> list[ServiceCredentials]:
    """Register the clients of services that have none yet, each with a new secret; gives what was made."""
    made = []
    for service in services:
        async with under(session, PLATFORM, subject=BY):
            known = await session.get(Client, (PLATFORM, service_client(service)))
        if known is None:
            secret, _ = hashing.new_secret()
            await register_service_clients(session, hasher, {service: secret})
            made.append(ServiceCredentials(service, service_client_id(service), secret))
    return made


async def _register(session: Session, hasher: SecretHasher, service: str, secret: str) -> None:
    id_ = service_client(service)
    client = await session.get(Client, (PLATFORM, id_))
    if client is None:
        # With a part of its id, so that no client of an operator's has the same name.
        wanted = ClientCreate(name=f"Trellis service: {service} ({id_.hex[:8]})", kind="confidential")
        client = await register_client(session, PLATFORM, wanted, by=BY, id_=id_)
        for role in ROLES_OF_SERVICES:
            await add_grant(session, administrator_grant(PLATFORM, person_id=None, client_id=id_, by=BY, role=role))
    if client.deleted_at is not None:
        log.warning("a service's client was deleted: the service can't call others", service=service)
        return
    known = (await secrets_of(session, PLATFORM, [id_]))[id_]
    hint = hashing.hint_of(secret)
    # The hint is drawn with the secret: whoever changes the secret changes it too.
    if hint not in {one.hint for one in known}:
        await forget_secrets(session, client)
        await add_secret(session, hasher, client, secret, by=BY)
        log.info("a service's client has a new secret", service=service, hint=hint)
