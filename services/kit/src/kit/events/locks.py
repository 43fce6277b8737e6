"""Advisory locks of one process: which followers it runs. They end with their connection, however the process ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kit.database.outages import DRIVER_ERRORS, outages_as_503
from kit.database.sessions import Connection, Database

_TRY = "select pg_try_advisory_lock(hashtextextended($1, 0))"


class Locks:
    """Locks held over one connection of their own, opened at first use.

    Behind a pooler no connection stays ours, and every lock is given: then only the row that is locked with each page
    keeps two processes from applying it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._busy = asyncio.Lock()

    async def take(self, name: str) -> "HeldLock | None":
        """The lock, or None while another process holds it. Raises DatabaseUnavailable."""
        if not self._database.keeps_connections:
            return HeldLock(None)
        with outages_as_503():
            async with self._busy:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._database.connect()
                is_ours = await self._connection.fetchval(_TRY, f"{self._database.schema} follower {name}")
                return HeldLock(self._connection) if is_ours else None

    async def aclose(self) -> None:
        """Give all of them back."""
        if self._connection is not None:
            with contextlib.suppress(OSError, TimeoutError, *DRIVER_ERRORS):
                await self._connection.close(timeout=2)
            self._connection = None


class HeldLock:
    """A lock that lasts as long as its connection."""

    def __init__(self, connection: Connection | None) -> None:
        self._connection = connection

    @property
    def is_held(self) -> bool:
        """Whether it is still ours."""
        return self._connection is None or not self._connection.is_closed()


@asynccontextmanager
async def locks_of(database: Database) -> AsyncIterator[Locks]:
    """The locks of a process, given back at the end."""
    locks = Locks(database)
    try:
        yield locks
    finally:
        await locks.aclose()
