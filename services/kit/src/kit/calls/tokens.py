"""Tokens of the service's own: one per trust, kept until shortly before they expire, fetched one at a time each."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from kit.calls.declared import TokenAnswer

MOST_TOKENS = 1_000
# A token is not used in its last minute: it must still count when the callee looks at it.
MARGIN_SECONDS = 60.0

Fetch = Callable[[UUID | None], Awaitable[TokenAnswer]]


@dataclass(slots=True)
class _Kept:
    token: str = field(default="", repr=False)
    good_until: float = float("-inf")
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)


class ServiceTokens:
    """The tokens of one process: of one trust each, or (None) the one that follows feeds."""

    def __init__(self, fetch: Fetch, *, most: int = MOST_TOKENS) -> None:
        self._fetch = fetch
        self._most = most
        self._kept: OrderedDict[UUID | None, _Kept] = OrderedDict()

    async def token(self, trust_id: UUID | None) -> str:
        """A token that counts for a while yet. Raises what `fetch` raises."""
        kept = self._kept.setdefault(trust_id, _Kept())
        self._kept.move_to_end(trust_id)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        now = asyncio.get_running_loop().time
        if now() < kept.good_until:
            return kept.token
        async with kept.fetching:
            # Somebody may have fetched it while we waited.
            if now() >= kept.good_until:
                began = now()
                answer = await self._fetch(trust_id)
                kept.token = answer.access_token
                kept.good_until = began + answer.expires_in - min(MARGIN_SECONDS, answer.expires_in / 2)
            return kept.token

    def forget(self, trust_id: UUID | None, token: str) -> None:
        """The callee refused this token: fetch another next time."""
        kept = self._kept.get(trust_id)
        if kept is not None and kept.token == token:
            kept.good_until = float("-inf")
