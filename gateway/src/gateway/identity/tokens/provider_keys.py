"""The public keys of identity providers, fetched from the address in our settings and from nowhere else."""

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any, Final

from kit.outbound.client import GuardedClient, Limits
from kit.outbound.errors import OutboundError
from kit.telemetry.logs import logger

log = logger(__name__)

# Providers announce new keys long before they sign with them.
FRESH_SECONDS: Final = 600.0
# How long known keys are believed while the provider can't be reached.
STALE_SECONDS: Final = 3600.0
# Tokens with unknown keys make at most one fetch in this time, however many are sent.
PAUSE_SECONDS: Final = 10.0
MOST_KEYS: Final = 100
# Redirects are not followed: they would lead where the provider, and not our settings, say.
_LIMITS: Final = Limits(size_bytes=256 * 1024, seconds=5.0, redirects=0)

Jwk = dict[str, Any]


class ProviderUnreachable(Exception):
    """The keys of an identity provider can't be fetched."""


class ProviderKeys:
    """The key set of one identity provider."""

    def __init__(self, url: str, outbound: GuardedClient) -> None:
        self._url = url
        self._outbound = outbound
        self._keys: dict[str, Jwk] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, kid: str) -> Jwk | None:
        """The key with this id; None when the provider has no such key. Raises ProviderUnreachable."""
        if self._is_known(kid):
            return self._keys[kid]
        async with self._fetching:
            now = time.monotonic()
            if not self._is_known(kid) and now - self._tried_at >= PAUSE_SECONDS:
                self._tried_at = now
                try:
                    self._keys = await self._fetch()
                    self._fetched_at = now
                except (OutboundError, ValueError, RecursionError) as error:
                    log.warning("the keys of an identity provider can't be fetched", url=self._url, reason=str(error))
        if time.monotonic() - self._fetched_at >= STALE_SECONDS:
            raise ProviderUnreachable(self._url)
        return self._keys.get(kid)

    def _is_known(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() - self._fetched_at < FRESH_SECONDS

    async def _fetch(self) -> dict[str, Jwk]:
        answer = await self._outbound.get(self._url, headers={"Accept": "application/json"}, limits=_LIMITS)
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"the key set answered {answer.status}")
        return _by_kid(json.loads(answer.content))


def _by_kid(document: object) -> dict[str, Jwk]:
    keys = document.get("keys") if isinstance(document, dict) else None
    named = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    found = {key["kid"]: key for key in named[:MOST_KEYS] if isinstance(key.get("kid"), str)}
    if not found:
        raise ValueError("the key set holds no key with an id")
    return found
