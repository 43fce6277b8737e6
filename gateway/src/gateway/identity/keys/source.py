"""The app's own keys, for checking the tokens that it is called with."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from gateway.identity.anonymous import NOBODY
from gateway.identity.keys import service
from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Database
from kit.identity.keys import STALE_SECONDS, Jwk, StaticKeys
from kit.identity.tokens import KeysUnavailable

FRESH_SECONDS: Final = 5.0


class DatabaseKeys:
    """The published keys, read from the database every few seconds."""

    def __init__(self) -> None:
        self._database: Callable[[], Database] | None = None
        self._known = StaticKeys({"keys": []})
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    def read_from(self, database: Callable[[], Database]) -> None:
        """Where the keys are."""
        self._database = database

    async def key(self, kid: str) -> Jwk | None:
        """The key with this id; None when unknown. Raises KeysUnavailable."""
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            await self._refresh()
        return await self._known.key(kid)

    def forget(self) -> None:
        """Read again at the next question."""
        self._read_at = float("-inf")

    async def _refresh(self) -> None:
        async with self._reading:
            now = time.monotonic()
            if now - self._read_at < FRESH_SECONDS:
                return
            if self._database is None:
                raise KeysUnavailable("the app isn't equipped yet")
            try:
                async with self._database().session(NOBODY) as session:
                    self._known.replace(await service.key_set(session))
            except DatabaseUnavailable:
                if now - self._read_at >= STALE_SECONDS:
                    raise KeysUnavailable("identity's own keys") from None
                return
            self._read_at = now
