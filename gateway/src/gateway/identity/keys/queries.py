"""All SQL about signing keys. They belong to the platform and to no trust."""

from datetime import datetime

from sqlalchemy import delete, select, text
from sqlmodel import col

from gateway.identity.tables import SigningKey
from kit.database.sessions import Session

# Every change of keys holds this lock, so that two processes never make two first keys.
_LOCK = 7_465_686_981


async def lock_keys(session: Session) -> None:
    """Wait until nobody else changes keys, until the end of the transaction."""
    await session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def all_keys(session: Session) -> list[SigningKey]:
    """Every key that is remembered, those published first first."""
    statement = select(SigningKey).order_by(col(SigningKey.published_at), col(SigningKey.kid))
    return list((await session.execute(statement)).scalars())


async def forget_keys(session: Session, kids: list[str], published_before: datetime) -> None:
    """Remove keys that have been of no use for long."""
    await session.execute(
        delete(SigningKey).where(col(SigningKey.kid).in_(kids), col(SigningKey.published_at) < published_before)
    )
