"""What `trellis keys` does: each function works on the database that the environment names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from gateway.identity.anonymous import NOBODY
from gateway.identity.keys import queries, service
from gateway.identity.keys.rules import KeyState
from gateway.identity.settings import IdentitySettings
from gateway.identity.tables import SigningKey
from kit.database.sessions import Database, Session
from kit.secrets.sealing import Seal

OPERATOR: Final = "command:trellis-keys"


@asynccontextmanager
async def _at_work(settings: IdentitySettings | None) -> AsyncIterator[tuple[Session, Seal]]:
    settings = settings or IdentitySettings.for_service("identity")
    database = Database(settings.database_url, application_name="identity-keys", pool_size=1)
    try:
        async with database.session(NOBODY) as session:
            yield session, Seal(settings.key_ring, service.PURPOSE)
    finally:
        await database.dispose()


async def rotate_keys(settings: IdentitySettings | None = None) -> datetime:
    """Let the next key take over. Gives the instant from which it signs."""
    async with _at_work(settings) as (session, seal):
        return await service.rotate(session, seal, by=OPERATOR)


async def revoke_key(kid: str, settings: IdentitySettings | None = None) -> None:
    """Refuse a key from now on. Raises UnknownKey."""
    async with _at_work(settings) as (session, seal):
        await service.revoke(session, seal, kid, by=OPERATOR)


async def revoke_all_keys(settings: IdentitySettings | None = None) -> None:
    """Refuse every key from now on and begin with new ones: for a lost `TRELLIS_SECRET_KEY` or database."""
    async with _at_work(settings) as (session, seal):
        for key in await queries.all_keys(session):
            await service.revoke(session, seal, key.kid, by=OPERATOR)


async def list_keys(settings: IdentitySettings | None = None) -> list[tuple[SigningKey, KeyState]]:
    """Every key that is remembered, with its state."""
    async with _at_work(settings) as (session, _):
        return await service.key_states(session)
