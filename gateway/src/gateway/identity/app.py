"""The pieces of which `gateway.main` makes the identity app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.exc import ProgrammingError

from gateway.identity.anonymous import NOBODY
from gateway.identity.definition import IDENTITY
from gateway.identity.equipment import Equipment
from gateway.identity.keys.service import ensure_keys
from gateway.identity.keys.source import DatabaseKeys
from gateway.identity.service_clients import register_service_clients
from gateway.identity.settings import IdentitySettings
from gateway.identity.tenants.service import register_demo_tenants
from gateway.identity.tokens.id_tokens import IdTokens
from kit.database.outages import DatabaseUnavailable
from kit.outbound.client import GuardedClient
from kit.settings import ServiceSettings
from kit.telemetry.logs import logger
from kit.web.tools import tools_of

__all__ = ["IDENTITY", "equip", "lifespan", "own_keys", "settings_of"]

log = logger(__name__)


def settings_of(settings: ServiceSettings | None) -> IdentitySettings:
    """Identity's settings: those of the environment, or those of a plain service with our defaults."""
    if settings is None:
        return IdentitySettings.for_service("identity")
    if isinstance(settings, IdentitySettings):
        return settings
    return IdentitySettings(**settings.model_dump())


def own_keys() -> DatabaseKeys:
    """The app's own public keys, to check the tokens with that it is called with; read once it was equipped."""
    return DatabaseKeys()


def equip(app: FastAPI, settings: IdentitySettings) -> None:
    """Give the app what its routes work with; before it serves."""
    app.state.equipment = Equipment.of(settings)
    app.state.id_tokens = IdTokens(settings.oidc_issuers, GuardedClient.of(settings))
    keys = tools_of(app).keys
    if isinstance(keys, DatabaseKeys):
        keys.read_from(lambda: tools_of(app).database)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the first keys, the services' clients and in a demo its tenants, before the first request."""
    equipment: Equipment = app.state.equipment
    try:
        async with tools_of(app).database.session(NOBODY) as session:
            await ensure_keys(session, equipment.key_seal, by="identity")
            if equipment.settings.env == "demo":
                await register_demo_tenants(session)
            secrets = {
                service: secret.get_secret_value() for service, secret in equipment.settings.service_clients.items()
            }
            await register_service_clients(session, equipment.hasher, secrets)
    except (DatabaseUnavailable, ProgrammingError):
        # Away or not migrated: `/readyz` says so. The first request for a token makes the keys.
        log.warning("the database isn't ready yet")
    yield
