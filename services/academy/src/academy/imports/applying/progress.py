"""How far a running import is, stored for those who follow it, and whether it has to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from academy.imports import queries
from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context, Database
from kit.disks import Disks, full

TICK_SECONDS: Final = 0.5
READ_PERCENT: Final = 60
APPLIED_PERCENT: Final = 99


class Stopped(Exception):
    """The import isn't running any more."""


@dataclass(slots=True)
class Progress:
    """How far a running import is. Reading counts for 60 percent, applying for the rest.

    It stops when it was cancelled, and when the reserve of a disk begins to be used.
    """

    percent: int = 0
    rows_read: int = 0
    is_stopped: bool = False
    has_room: bool = True
    disks: Disks = field(default_factory=Disks)

    def read(self, done: float, rows_read: int) -> None:
        """Note how much of the file has been read (0 to 1). Called from the reading thread.

        Raises Stopped and StorageFull.
        """
        self.percent = max(self.percent, int(done * READ_PERCENT))
        self.rows_read = rows_read
        self._check()

    def applied(self, part: float) -> None:
        """Note how much of it has been applied (0 to 1). Raises Stopped and StorageFull."""
        self.percent = READ_PERCENT + int(part * (APPLIED_PERCENT - READ_PERCENT))
        self._check()

    def _check(self) -> None:
        if not self.has_room:
            raise full()
        if self.is_stopped:
            raise Stopped

    @asynccontextmanager
    async def stored(self, database: Database, context: Context, import_id: UUID) -> AsyncIterator[None]:
        """Store it twice a second, in transactions of its own, so that others can follow a running import.

        As soon as the import isn't running any more, or has no room, what the block waits for is cancelled.
        Raises Stopped and StorageFull.
        """
        waiting = asyncio.timeout(None)
        try:
            async with waiting:
                storing = asyncio.create_task(
                    self._store(database, context, import_id, waiting), name="import progress"
                )
                try:
                    yield
                except asyncio.CancelledError:
                    # The reading thread looks at this after each batch.
                    self.is_stopped = True
                    raise
                finally:
                    storing.cancel()
                    await asyncio.wait({storing})
                if not storing.cancelled():
                    storing.result()
        except TimeoutError:
            if not waiting.expired():
                raise
            if not self.has_room:
                raise full() from None
            raise Stopped from None

    async def _store(self, database: Database, context: Context, import_id: UUID, waiting: asyncio.Timeout) -> None:
        while not self.is_stopped:
            await asyncio.sleep(TICK_SECONDS)
            if not self.disks.has_room():
                self.has_room, self.is_stopped = False, True
                break
            # Whether the database is there is for the import itself to find out; this can wait.
            with contextlib.suppress(DatabaseUnavailable):
                async with database.session(context) as session:
                    self.is_stopped = not await queries.set_progress(
                        session, context.tenant_id, import_id, percent=self.percent, rows_read=self.rows_read
                    )
        waiting.reschedule(asyncio.get_running_loop().time())
