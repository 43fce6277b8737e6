"""A real Envoy in front of small real services, on sockets of its own and a free port."""

import asyncio
import http.client
import json
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.envoy import EnvoySettings, command, render, write
from gateway.envoy.routes import ROUTES, Route
from tests.support.tokens import AUDIENCE, ISSUER, issue_token, signing_key

BIG = b'{"items":"' + b"red amber green " * 300 + b'"}'
PATIENCE_SECONDS = 10.0
MISBEHAVING = "reporting"
BEHIND = ("identity", "academy", MISBEHAVING)


@dataclass
class Behind:
    """What the services behind the gateway publish, and what they have seen."""

    keys: list[dict[str, str]] = field(default_factory=lambda: [dict(signing_key().public)])
    gives_keys: bool = True
    begun: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identity and academy at once: keys, an echo, a large answer with a tag."""
        if scope["type"] != "http":
            return
        self.begun[f"{scope['method']} {scope['path']}"] += 1
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        path = scope["path"]
        self.seen[f"{scope['method']} {path}"] += 1
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        status, answer, extra = self._answer(path, dict(headers), scope, headers, len(body))
        if path.endswith("/slow"):
            await asyncio.sleep(3)
        if path.endswith("/events"):
            await self._stream(send)
            return
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json"), (b"server", b"snake/1.0"), *extra],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    def _answer(
        self, path: str, named: dict[str, str], scope: Scope, headers: list[tuple[str, str]], length: int
    ) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
        if path == "/.well-known/jwks.json" and not self.gives_keys:
            return 500, b"{}", []
        if path == "/.well-known/jwks.json":
            return 200, json.dumps({"keys": self.keys}).encode(), []
        if path.endswith("/board"):
            tag = named.get("if-none-match", "").removeprefix("W/")
            if tag == '"7"':
                return 304, b"", [(b"etag", b'"7"')]
            return 200, BIG, [(b"etag", b'"7"'), (b"vary", b"Authorization")]
        if path.endswith("/busy"):
            return 503, b'{"code":"service-unavailable"}', [(b"retry-after", b"9")]
        echo = {
            "method": scope["method"],
            "path": path,
            "raw_path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": headers,
            "length": length,
        }
        return 200, json.dumps(echo).encode(), []

    @staticmethod
    async def _stream(send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for number in range(3):
            await send({"type": "http.response.body", "body": f"data: {number}\n\n".encode(), "more_body": True})
            await asyncio.sleep(0.3)
        await send({"type": "http.response.body", "body": b""})

    async def misbehave(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reporting: hangs up on as many requests as `failures` says, or answers nonsense."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split(" ", 2)
                length = next(
                    (
                        int(line.split(":")[1])
                        for line in head.splitlines()
                        if line.lower().startswith("content-length")
                    ),
                    0,
                )
                await reader.readexactly(length)
                self.seen[f"{method} {path}"] += 1
                if self.failures[path] > 0:
                    self.failures[path] -= 1
                    break
                nonsense = path.endswith("/garbage")
                writer.write(b"HELLO\r\n\r\n" if nonsense else b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                await writer.drain()
        writer.close()


@dataclass
class Door:
    """A running gateway."""

    port: int
    behind: Behind
    settings: EnvoySettings
    log: Path
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        """An HTTP client that compresses nothing unless told to."""
        headers = {"accept-encoding": "identity", **({"authorization": f"Bearer {token}"} if token else {})}
        # Loading the machine's certificates takes longer than most tests.
        options = {"verify": False, "timeout": PATIENCE_SECONDS, "trust_env": False, **options}
        return httpx.Client(base_url=self.url, headers=headers, **options)

    def raw(self, request: bytes, *, until: Callable[[bytes], bool] = lambda _: False, seconds: float = 1.0) -> bytes:
        """Everything that comes back on one connection for these bytes, until it is closed or quiet."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(request)
            with suppress(TimeoutError, ConnectionResetError):
                while chunk := connection.recv(65536):
                    received += chunk
                    if until(received):
                        break
        return received

    def log_lines(self, request_id: str) -> list[dict[str, Any]]:
        """What the access log says about a request, as soon as it does."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            lines = [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
            if found := [line for line in lines if line["request_id"] == request_id]:
                return found
            time.sleep(0.1)
        return []


@contextmanager
def served(behind: Behind, folder: Path, names: Sequence[str] = BEHIND) -> Iterator[None]:
    """Run these services until the end of the block."""
    loop = asyncio.new_event_loop()
    servers = [
        uvicorn.Server(
            uvicorn.Config(behind, uds=str(folder / f"{name}.sock"), log_level="error", lifespan="off", ws="none")
        )
        for name in names
        if name != MISBEHAVING
    ]

    async def run() -> None:
        async with AsyncExitStack() as stack:
            if MISBEHAVING in names:
                odd = await asyncio.start_unix_server(behind.misbehave, folder / f"{MISBEHAVING}.sock")
                stack.callback(odd.close)
            # Signals belong to pytest's thread; the servers are told to stop instead.
            await asyncio.gather(*(server._serve() for server in servers))

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    wait_until(lambda: all(server.started for server in servers))
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(PATIENCE_SECONDS)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@contextmanager
def opened(routes: Sequence[Route] = ROUTES, *, behind: Behind | None = None, **told: Any) -> Iterator[Door]:
    """A gateway with these settings, in front of services of its own."""
    # Not pytest's own folder: a socket's path has to be short.
    with tempfile.TemporaryDirectory(prefix="door-") as name:
        folder = Path(name)
        settings = EnvoySettings(
            **{
                "listen_port": 0,
                "run_dir": folder,
                "state_dir": folder,
                "issuer": ISSUER,
                "audience": AUDIENCE,
                "access_log": folder / "access.log",
                "envoy_threads": 1,
                **told,
            }
        )
        path = write(render(settings, routes), folder / "envoy.json")
        behind = behind or Behind()
        with served(behind, folder), (folder / "envoy.log").open("wb") as log:
            process = subprocess.Popen(
                command(path, settings), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                port = listening(settings, process, folder / "envoy.log")
                scheme = "https" if settings.tls_certificate else "http"
                yield Door(port, behind, settings, folder / "access.log", scheme)
            finally:
                process.terminate()
                process.wait(PATIENCE_SECONDS)


class _Admin(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("admin", timeout=PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def admin(settings: EnvoySettings, path: str) -> str:
    """What Envoy's own administration says; it listens on its socket only."""
    with closing(_Admin(settings.admin_socket)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def listening(settings: EnvoySettings, process: subprocess.Popen[bytes], log: Path) -> int:
    """The port that the gateway took, as soon as it answers there."""
    found: list[int] = []

    def look() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"Envoy ended: {log.read_text()}")
        with suppress(OSError):
            listeners = json.loads(admin(settings, "/listeners?format=json"))["listener_statuses"]
            found[:] = [one["local_address"]["socket_address"]["port_value"] for one in listeners]
        return bool(found) and "LIVE" in admin(settings, "/ready")

    wait_until(look)
    return found[0]


def wait_until(look: Callable[[], bool]) -> None:
    """Look again and again, for a while."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not look():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def token(**claims: Any) -> str:
    """A token that counts."""
    return issue_token("status-reader", **claims)
