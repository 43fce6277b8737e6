"""The guarded client: one bounded exchange with an address that a user typed."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import httpcore
import httpx

from kit.outbound.connecting import GuardedBackend, GuardedTransport, Resolve, resolve
from kit.outbound.errors import (
    AnswerTooLarge,
    AnswerTooSlow,
    AnswerUnreadable,
    RedirectNotAllowed,
    UrlNotAllowed,
)
from kit.outbound.policies import OutboundPolicy, OutboundSettings

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAFE: Final = frozenset({"GET", "HEAD"})
_GZIP: Final = 31


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an answer is read, once it is unpacked; how long everything may take; how often we go on."""

    size_bytes: int = 1024 * 1024
    seconds: float = 10.0
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, whole and unpacked, and the URL that it came from."""

    status: int
    headers: httpx.Headers
    content: bytes
    url: str


@cache
def _authorities() -> ssl.SSLContext:
    """Whose certificates are believed; read once, since reading them takes longer than a request."""
    return httpx.create_ssl_context()


class GuardedClient:
    """Calls what the policy allows. Nothing stays open between two calls, and no setting of a proxy counts."""

    def __init__(
        self,
        policy: OutboundPolicy,
        *,
        resolve: Resolve = resolve,
        network: httpcore.AsyncNetworkBackend | None = None,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()
        self._authorities = authorities

    @classmethod
    def of(cls, settings: OutboundSettings) -> Self:
        """The client of an installation."""
        return cls(OutboundPolicy.of(settings))

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None) -> Answer:
        """The answer to a GET, whatever its status. Raises OutboundError."""
        return await self.request("GET", url, headers=headers, limits=limits)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        limits: Limits | None = None,
    ) -> Answer:
        """The answer to a request, whatever its status. Raises OutboundError.

        A redirect is followed for GET and HEAD only, within the same host, as often as the limits allow.
        """
        limits = limits or Limits()
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._follow(method, _url(url), headers or {}, content, limits)
        except TimeoutError:
            raise AnswerTooSlow(f"There was no whole answer within {limits.seconds:g} seconds.") from None

    async def _follow(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None, limits: Limits
    ) -> Answer:
        for left in range(limits.redirects, -1, -1):
            answer = await self._once(method, url, headers, content, limits)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return answer
            if method not in _SAFE or not left:
                break
            url = _next(url, location)
        raise RedirectNotAllowed("The server sends us to another place, which isn't followed.")

    async def _once(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], content: bytes | None, limits: Limits
    ) -> Answer:
        target = self._policy.target(url)
        backend = GuardedBackend(self._policy, target, self._resolve, self._network)
        transport = GuardedTransport(backend, target, self._authorities or _authorities())
        sent = {**headers, "Accept-Encoding": "gzip"}
        # No proxy, no netrc: the environment must not lead around the guard. The whole time is bounded above.
        async with (
            httpx.AsyncClient(transport=transport, trust_env=False, timeout=limits.seconds + 1) as client,
            client.stream(method, url, headers=sent, content=content, follow_redirects=False) as response,
        ):
            parts = _unpacked(response, limits.size_bytes)
            body = b"".join([part async for part in parts])
            return Answer(response.status_code, response.headers, body, str(url))


def _url(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise UrlNotAllowed("This is no URL.") from None


def _next(url: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads, within the same host. Raises RedirectNotAllowed."""
    try:
        following = url.join(location)
    except httpx.InvalidURL:
        raise RedirectNotAllowed("The server sends us to another place, which isn't followed.") from None
    is_upgrade = (url.scheme, following.scheme, url.port, following.port) == ("http", "https", None, None)
    same = following.raw_host == url.raw_host and (
        is_upgrade or (following.scheme, following.port) == (url.scheme, url.port)
    )
    if not same:
        raise RedirectNotAllowed("The server sends us to another host, which isn't followed.")
    return following


async def _unpacked(response: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """The body in parts, never more than `most` bytes of it, packed or not. Raises AnswerTooLarge, AnswerUnreadable."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise AnswerUnreadable("The answer has a compression that was not requested.")
    unpacker = _Unpacker(most) if "gzip" in encoding else None
    received = given = 0
    async for part in response.aiter_raw():
        received += len(part)
        if received > most:
            raise AnswerTooLarge(f"The answer is larger than {most} bytes.")
        unpacked = part if unpacker is None else unpacker.unpack(part, most - given)
        given += len(unpacked)
        yield unpacked
    if unpacker is not None and received and not unpacker.is_whole:
        raise AnswerUnreadable("The compressed answer is damaged.")


class _Unpacker:
    """Unpacks gzip without ever making more bytes than may be read."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stream = zlib.decompressobj(_GZIP)

    @property
    def is_whole(self) -> bool:
        """Whether the packed data has ended where it should."""
        return self._stream.eof

    def unpack(self, part: bytes, room: int) -> bytes:
        """What a part unpacks to. Raises AnswerTooLarge, AnswerUnreadable."""
        try:
            # One byte more than there is room for shows that there is too much; 0 would mean no bound.
            unpacked = self._stream.decompress(part, room + 1)
        except zlib.error:
            raise AnswerUnreadable("The compressed answer is damaged.") from None
        if len(unpacked) > room:
            raise AnswerTooLarge(f"The answer is larger than {self._most} bytes once it is unpacked.")
        if self._stream.unused_data:
            raise AnswerUnreadable("The compressed answer is damaged.")
        return unpacked
