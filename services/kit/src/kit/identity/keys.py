"""Public keys that tokens are checked with: where they come from and how long they are believed."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx

# A revoked key is refused within a minute: keys are fetched again after half of it, and after
# a whole minute without an answer nothing is believed any more.
FRESH_SECONDS = 30.0
STALE_SECONDS = 60.0
# A token with an unknown key makes at most one fetch in this time, however many are sent.
UNKNOWN_KEY_PAUSE_SECONDS = 5.0
# After a failed fetch the next one waits, so that an outage isn't made worse.
FAILURE_PAUSE_SECONDS = 1.0
FETCH_TIMEOUT_SECONDS = 2.0
# Callers wait for a fetch no longer than this after it began, whenever they came.
LONGEST_WAIT_SECONDS = 0.5
LARGEST_KEY_SET_BYTES = 64 * 1024
MOST_KEYS = 50

Jwk = dict[str, Any]


class KeysUnavailable(ConnectionError):
    """The keys can't be fetched, and those known are too old to be believed."""


class KeySource(Protocol):
    """Something that knows the public keys of the issuer."""

    async def key(self, kid: str) -> Jwk | None:
        """The key with this id, the same object as long as it is unchanged; None when unknown.

        Raises KeysUnavailable when it can't be known.
        """
        ...


def usable_keys(key_set: Mapping[str, Any]) -> dict[str, Jwk]:
    """The keys of a JWK set that may sign tokens: P-256, for signatures, with an id."""
    keys = key_set.get("keys")
    if not isinstance(keys, list):
        return {}
    return {key["kid"]: key for key in keys[:MOST_KEYS] if _is_usable(key)}


def _is_usable(key: object) -> bool:
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") == "EC"
        and key.get("crv") == "P-256"
        and isinstance(key.get("x"), str)
        and isinstance(key.get("y"), str)
        and key.get("use", "sig") == "sig"
        and key.get("alg", "ES256") == "ES256"
    )


class StaticKeys:
    """Keys that are known beforehand (tests, and identity itself)."""

    def __init__(self, key_set: Mapping[str, Any]) -> None:
        self._keys = usable_keys(key_set)

    async def key(self, kid: str) -> Jwk | None:
        """The key with this id; None when unknown."""
        return self._keys.get(kid)

    def replace(self, key_set: Mapping[str, Any]) -> None:
        """From now on these are the keys."""
        self._keys = _merged(self._keys, usable_keys(key_set))


def _merged(old: Mapping[str, Jwk], new: Mapping[str, Jwk]) -> dict[str, Jwk]:
    """The new keys, keeping the old object of each that is unchanged."""
    return {kid: old[kid] if old.get(kid) == key else key for kid, key in new.items()}


class RemoteKeys:
    """The issuer's key set, fetched over HTTP or a Unix socket and believed for half a minute."""

    def __init__(self, url: str, *, socket: Path | None = None) -> None:
        self._url = url
        self._socket = socket
        self._client: httpx.AsyncClient | None = None
        self._keys: dict[str, Jwk] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshing_until = 0.0
        self._is_late = False

    async def key(self, kid: str) -> Jwk | None:
        """The key with this id; None when unknown. Raises KeysUnavailable.

        A known key is given at once for as long as it is believed, and fetched again behind the caller's back:
        an issuer that hangs makes nobody wait. Others wait for the same fetch, and for half a second at most. Once a
        fetch was late, nobody waits until an answer has come.
        """
        age = time.monotonic() - self._fetched_at
        if age < STALE_SECONDS and (found := self._keys.get(kid)) is not None:
            if age >= FRESH_SECONDS:
                self._refresh(FAILURE_PAUSE_SECONDS)
            return found
        if age < UNKNOWN_KEY_PAUSE_SECONDS:
            return None
        refreshing = self._refresh(FAILURE_PAUSE_SECONDS if age >= FRESH_SECONDS else UNKNOWN_KEY_PAUSE_SECONDS)
        if refreshing is not None:
            await self._wait_for(refreshing)
        if time.monotonic() - self._fetched_at >= STALE_SECONDS:
            raise KeysUnavailable(self._url)
        return self._keys.get(kid)

    def _refresh(self, pause: float) -> asyncio.Task[None] | None:
        """The one fetch that runs, or a new one; None while the last attempt is too recent."""
        if self._refreshing is None or self._refreshing.done():
            now = time.monotonic()
            if now - self._tried_at < pause:
                return None
            self._tried_at = now
            # The first keys of a process are worth waiting for as long as the fetch may take.
            longest = LONGEST_WAIT_SECONDS if self._keys else FETCH_TIMEOUT_SECONDS
            self._refreshing_until = asyncio.get_running_loop().time() + longest
            self._refreshing = asyncio.create_task(self._fetch_and_keep(now))
        return self._refreshing

    async def _wait_for(self, refreshing: asyncio.Task[None]) -> None:
        """Wait for a fetch while it isn't late. A caller who goes away takes it from nobody else."""
        left = self._refreshing_until - asyncio.get_running_loop().time()
        if not self._is_late and left > 0:
            await asyncio.wait({refreshing}, timeout=left)
        self._is_late = self._is_late or not refreshing.done()

    async def _fetch_and_keep(self, began: float) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                keys = await self._fetch()
        except (TimeoutError, httpx.TimeoutException):
            self._is_late = True
            return
        except (httpx.HTTPError, ValueError):
            self._is_late = False
            return
        self._is_late = False
        self._keys = _merged(self._keys, keys)
        # The moment of the request counts: what is revoked while the answer travels isn't in it.
        self._fetched_at = began

    async def _fetch(self) -> dict[str, Jwk]:
        if self._client is None:
            transport = httpx.AsyncHTTPTransport(uds=str(self._socket) if self._socket else None)
            self._client = httpx.AsyncClient(transport=transport, timeout=FETCH_TIMEOUT_SECONDS, follow_redirects=False)
        async with self._client.stream("GET", self._url, headers={"Accept": "application/json"}) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"the key set answered {response.status_code}")
            content = b""
            async for part in response.aiter_bytes():
                content += part
                if len(content) > LARGEST_KEY_SET_BYTES:
                    raise ValueError("the key set is too large")
        return _key_set(httpx.Response(200, content=content).json())

    async def aclose(self) -> None:
        """End a running fetch and close the connections to the issuer."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
            self._refreshing = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _key_set(document: object) -> dict[str, Jwk]:
    if not isinstance(document, dict) or not (keys := usable_keys(document)):
        raise ValueError("the key set holds no usable key")
    return keys
