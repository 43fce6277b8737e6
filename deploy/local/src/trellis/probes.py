"""Asking a process over HTTP whether it is ready, on its Unix socket or its port."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

_SILENCE = (TimeoutError, BlockingIOError, ConnectionRefusedError, FileNotFoundError)
"""In time, a queue of connections that nobody takes, and nobody who listens."""


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe brought: ready or not, and why not."""

    ready: bool
    reason: str = ""
    is_silent: bool = False
    """Whether nothing at all came back. An error and a connection that is closed are signs of life."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Where to ask: a path, on a Unix socket or on a host and port."""

    path: str
    unix: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False

    def ask(self, timeout: float = 2.0) -> Answer:
        """Ready is 200; everything else, silence too, is a reason."""
        connection = self._connection(timeout)
        try:
            connection.request("GET", self.path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read(100_000)
        except (OSError, http.client.HTTPException) as problem:
            reason = f"does not answer ({str(problem) or type(problem).__name__})"
            return Answer(False, reason, is_silent=isinstance(problem, _SILENCE))
        finally:
            connection.close()
        return Answer(True) if response.status == 200 else Answer(False, _reason(response.status, body))

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self.unix is not None:
            return _SocketConnection(self.unix, timeout)
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=_anybody())
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)


def _anybody() -> ssl.SSLContext:
    """Whether a port answers is asked here, not whether its certificate fits the address of this machine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(status: int, body: bytes) -> str:
    """What a service says is missing; else the status."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    checks = told.get("checks") if isinstance(told, dict) else None
    wrong = {name: answer for name, answer in checks.items() if answer != "ok"} if isinstance(checks, dict) else {}
    if not wrong:
        return f"answers {status}"
    return "is not ready: " + "; ".join(f"{name}: {answer}" for name, answer in wrong.items())
