"""Whether anything was committed: the snapshot of a database, read at most once at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg

from kit.database.outages import DRIVER_ERRORS
from kit.telemetry.logs import logger

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

SECONDS = 1.0
# No more often than this is looked: under load a query each would cost more than all else of an answer from memory.
LEAST_BETWEEN_SECONDS = 0.001

_LOST = (OSError, *DRIVER_ERRORS, asyncio.TimeoutError)

log = logger(__name__)


class Snapshots:
    """The snapshots of one database, over a connection of their own.

    A snapshot names the transactions that have ended. Two that are equal show the same rows.
    """

    def __init__(self, connect: Connect, *, is_known: bool = True) -> None:
        """With `is_known` false there is none: one node of a sharded database doesn't know what others committed."""
        self.looks = 0
        """How many queries were made."""
        self._connect = connect
        self._is_known = is_known
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._began = float("-inf")
        self._looking: asyncio.Task[str | None] | None = None
        # Its query hasn't begun.
        self._next: asyncio.Task[str | None] | None = None

    async def current(self) -> str | None:
        """The snapshot, not older than this call; None when it can't be known.

        A query that is under way may have looked before this call: who comes meanwhile shares the next one.
        """
        if not self._is_known:
            return None
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._look(self._looking), name="snapshot")
        return await asyncio.shield(self._next)

    async def _look(self, before: "asyncio.Task[str | None] | None") -> str | None:
        if before is not None and not before.done():
            await asyncio.wait((before,))
        if (early := self._began + LEAST_BETWEEN_SECONDS - time.monotonic()) > 0:
            await asyncio.sleep(early)
        # From here on it isn't the next one any more: who comes now may be later than the query.
        self._looking, self._next = self._next, None
        self._began = time.monotonic()
        self.looks += 1
        try:
            async with asyncio.timeout(SECONDS):
                if self._connection is None or self._connection.is_closed():
                    self._connection = await self._connect()
                snapshot: str = await self._connection.fetchval("select pg_current_snapshot()::text")
        except _LOST as error:
            log.debug("the snapshot of the database can't be read", error=type(error).__name__)
            self._drop()
            return None
        return snapshot

    async def close(self) -> None:
        """Let the connection go."""
        looking = [task for task in (self._looking, self._next) if task is not None]
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
        self._looking = self._next = None
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
