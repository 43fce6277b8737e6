"""The first credentials of an installation: `python -m gateway.identity.bootstrap`, which `trellis bootstrap` runs.

Makes a client of a platform operator, one for each service and, with `--trust`, a tenant with a client of its
administrator. Each is made once: where there is an operator, an administrator or a service's client already, nothing is
made and nothing is shown. The secrets are printed once and kept nowhere; a service's that stands in the settings isn't
printed.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from gateway.identity.administrators import administered_until, administrator_role
from gateway.identity.anonymous import NOBODY, under
from gateway.identity.clients.rules import client_id_of
from gateway.identity.clients.schemas import ClientCreate
from gateway.identity.clients.service import create_client
from gateway.identity.days import today
from gateway.identity.equipment import Equipment
from gateway.identity.grants.service import add_grant
from gateway.identity.keys.service import ensure_keys
from gateway.identity.service_clients import SERVICES, make_service_clients, register_service_clients
from gateway.identity.settings import IdentitySettings
from gateway.identity.tenants.errors import TenantNotFound
from gateway.identity.tenants.schemas import TenantCreate
from gateway.identity.tenants.service import administrator_grant, create_tenant, tenant_of
from kit import clock
from kit.database.sessions import Database, Session
from kit.ids import PLATFORM

OPERATOR = "command:trellis-bootstrap"
# Whoever bootstraps holds this lock, so that two never make two first operators.
_LOCK = 7_465_686_982


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a client that was just made."""

    role: str
    client_id: str
    client_secret: str
    service: str | None = None
    """The service whose own client it is."""

    @property
    def variables(self) -> tuple[str, str]:
        """The variables that hold id and secret."""
        middle = "" if self.service is None else f"{self.service.upper()}_SERVICE_"
        return f"TRELLIS_{middle}CLIENT_ID", f"TRELLIS_{middle}CLIENT_SECRET"


async def bootstrap(
    settings: IdentitySettings | None = None, *, trust: TenantCreate | None = None
) -> list[Credentials]:
    """Make what isn't there yet; gives the credentials of what was made, none when all was there."""
    settings = settings or IdentitySettings.for_service("identity")
    equipment = Equipment.of(settings)
    database = Database(settings.database_url, application_name="identity-bootstrap", pool_size=1)
    try:
        async with database.session(NOBODY) as session:
            await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await ensure_keys(session, equipment.key_seal, by=OPERATOR)
            made = await _first_administrator(session, equipment, PLATFORM, "First platform operator")
            if trust is not None:
                made += await _trust(session, equipment, trust)
            return made + await _services(session, equipment)
    finally:
        await database.dispose()


async def _services(session: Session, equipment: Equipment) -> list[Credentials]:
    """The services' own clients: with the secrets of the settings, else with new ones, which are shown."""
    secrets = {name: secret.get_secret_value() for name, secret in equipment.settings.service_clients.items()}
    await register_service_clients(session, equipment.hasher, secrets)
    made = await make_service_clients(session, equipment.hasher, [name for name in SERVICES if name not in secrets])
    return [Credentials(f"service {one.service}", one.client_id, one.client_secret, one.service) for one in made]


async def _trust(session: Session, equipment: Equipment, wanted: TenantCreate) -> list[Credentials]:
    try:
        tenant = await tenant_of(session, wanted.group_uid, lock=True)
    except TenantNotFound:
        tenant = await create_tenant(session, wanted, by=OPERATOR)
    return await _first_administrator(session, equipment, tenant.id, "First trust administrator")


async def _first_administrator(session: Session, equipment: Equipment, trust_id: UUID, name: str) -> list[Credentials]:
    role = administrator_role(trust_id)
    async with under(session, trust_id, subject=OPERATOR):
        if await administered_until(session, trust_id, today()):
            return []
        # A name of its own, should there be one of an administrator who is gone.
        wanted = ClientCreate(name=f"{name} ({clock.now():%Y-%m-%d %H:%M:%S})", kind="confidential")
        client, secret = await create_client(session, equipment.hasher, trust_id, wanted, by=OPERATOR)
        grant = administrator_grant(trust_id, person_id=None, client_id=client.id, by=OPERATOR, role=role)
        await add_grant(session, grant)
    assert secret is not None, "a confidential client has one"
    return [Credentials(role, client_id_of(trust_id, client.id), secret)]


def _printed(made: list[Credentials]) -> str:
    if not made:
        return "There is an operator (and an administrator) already; nothing was made."
    lines = ["These credentials are shown once. Keep them where you keep passwords.", ""]
    for one in made:
        id_, secret = one.variables
        lines += [f"# {one.role}", f"{id_}={one.client_id}", f"{secret}={one.client_secret}", ""]
    return "\n".join(lines).rstrip()


def main() -> int:
    """Make the first credentials and print them."""
    parser = argparse.ArgumentParser(
        prog="trellis bootstrap", description="The first platform operator and trust administrator, once."
    )
    parser.add_argument("--trust", metavar="GROUP_UID", help="register this trust, with an administrator")
    parser.add_argument("--name", help="its name; needed with --trust")
    parser.add_argument("--group-id", metavar="TR", help="its TR reference")
    arguments = parser.parse_args()
    if arguments.trust and not arguments.name:
        parser.error("--trust needs --name")
    trust = None
    if arguments.trust:
        trust = TenantCreate(group_uid=arguments.trust, group_id=arguments.group_id, name=arguments.name)
    sys.stdout.write(_printed(asyncio.run(bootstrap(trust=trust))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
