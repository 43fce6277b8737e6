"""A server on this machine that answers for the whole internet, and names that lead where a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import httpcore

from kit.outbound.addresses import Address
from kit.outbound.client import Answer, GuardedClient
from kit.outbound.hosts import opened_hosts
from kit.outbound.policies import OutboundPolicy

PUBLIC, OTHER = "93.184.216.34", "93.184.216.35"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Internet(httpcore.AsyncNetworkBackend):
    """Carries connections to any address to the server of the test, and notes where they were meant to go."""

    def __init__(self, port: int, dead: Sequence[str] = ()) -> None:
        self.connected: list[str] = []
        self._port = port
        self._dead = dead
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,  # noqa: ARG002 - the server's own is used
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own name
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        if host in self._dead:
            raise httpcore.ConnectError
        return await self._real.connect_tcp("127.0.0.1", self._port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise AssertionError

    async def sleep(self, seconds: float) -> None:
        await self._real.sleep(seconds)


class Names:
    """A name server that answers each question with the next of these; the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, _: int) -> Sequence[Address]:
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(address) for address in found]


@asynccontextmanager
async def server(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on loopback that does this with each connection; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


def answers(*raw: bytes) -> tuple[Handler, list[bytes]]:
    """Answers each request with the next of these, and the requests that came."""
    left, requests = list(raw), []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handle, requests


def ok(body: bytes = b"fine", *headers: str, status: str = "200 OK") -> bytes:
    """An answer on the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def moved(location: str, status: str = "302 Found") -> bytes:
    return ok(b"", f"Location: {location}", status=status)


# Plain http to these names, so that most attacks need no certificate; their addresses are checked all the same below.
HTTP = OutboundPolicy(opened_hosts(["opened.example"]))
URL = "http://opened.example/a"


@asynccontextmanager
async def calling(
    handle: Handler, names: Names | None = None, policy: OutboundPolicy = HTTP
) -> AsyncIterator[tuple[GuardedClient, Internet]]:
    """A client that reaches this server, whatever address it connects to."""
    async with server(handle) as port:
        internet = Internet(port)
        yield GuardedClient(policy, resolve=names or Names([PUBLIC]), network=internet), internet


async def got(handle: Handler, url: str = URL, **options: Any) -> Answer:
    async with calling(handle) as (client, _):
        return await client.get(url, **options)
