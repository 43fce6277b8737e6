"""Connecting to the very address that was checked.

httpcore asks its network backend for a connection to a name. Ours resolves the name, checks every address, and
connects to one of those: nobody resolves the name a second time, so that a name can't lead elsewhere after the check.
TLS begins above, with the name, which the certificate must be for.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from kit.outbound.addresses import Address
from kit.outbound.errors import HostNotFound, HostUnreachable
from kit.outbound.hosts import as_address, plain_host
from kit.outbound.policies import OutboundPolicy, Target

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


async def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a host, in the order of the operating system; empty when it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return []
    return [ip_address(address[0]) for _, _, _, _, address in found]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects one request to its target, at an address that was checked."""

    def __init__(
        self, policy: OutboundPolicy, target: Target, resolve: Resolve, network: httpcore.AsyncNetworkBackend
    ) -> None:
        self._policy = policy
        self._target = target
        self._resolve = resolve
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection. Raises HostNotFound, AddressNotAllowed and HostUnreachable."""
        if plain_host(host) != self._target.host or port != self._target.port:
            raise HostUnreachable("The request goes to another host than was checked.")
        literal = as_address(self._target.host)
        addresses = [literal] if literal is not None else await self._resolve(self._target.host, port)
        if not addresses:
            raise HostNotFound(f"{self._target.host} has no address.")
        self._policy.check(self._target, addresses)
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    str(address), port, timeout=timeout, local_address=local_address, socket_options=socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        raise HostUnreachable(f"{self._target.host} doesn't answer.")

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Never: a URL leads to no socket."""
        raise HostUnreachable("A URL leads to no socket.")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._network.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any, host: str) -> None:
        self._stream = stream
        self._host = host

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            raise HostUnreachable(f"The answer of {self._host} broke off.") from None

    async def aclose(self) -> None:
        await self._stream.aclose()


class GuardedTransport(httpx.AsyncBaseTransport):
    """Carries one request after the other over a connection of its own."""

    def __init__(self, backend: GuardedBackend, target: Target, context: Any) -> None:
        self._host = target.host
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context, max_connections=1, max_keepalive_connections=0, network_backend=backend
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises what the backend raises, and HostUnreachable."""
        url = httpcore.URL(
            scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
        )
        sent = httpcore.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        try:
            answer = await self._pool.handle_async_request(sent)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
            raise HostUnreachable(f"{self._host} doesn't answer in HTTP that can be trusted.") from None
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream, self._host), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pool.aclose()
