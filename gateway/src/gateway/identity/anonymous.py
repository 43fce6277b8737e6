"""Transactions for requests whose caller isn't known yet, and for one trust at a time within them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from asyncpg import PostgresError
from sqlalchemy.exc import DBAPIError

from kit.database.sessions import Context, Session, context_of_session, set_context
from kit.ids import PLATFORM

NOBODY = Context(tenant_id=PLATFORM, academies=frozenset(), subject="anonymous")


@asynccontextmanager
async def under(session: Session, trust_id: UUID, *, subject: str | None = None) -> AsyncIterator[Session]:
    """Let the session see the rows of this trust and no others, until the end of the block."""
    before = context_of_session(session)
    await session.flush()
    await set_context(session, Context(trust_id, None, subject or before.subject))
    try:
        yield session
        # What was written belongs to this trust and can be written under its context only.
        await session.flush()
    except BaseException:
        # After an error of the database nothing more can be said to it, nor be read from it.
        with suppress(DBAPIError, PostgresError):
            await set_context(session, before)
        raise
    await set_context(session, before)
