"""Asking whether something is ready, on a port or a Unix socket."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.answers import Served
from trellis.probes import Answer, Probe

Serve = Callable[..., tuple[str, Served]]


def probe_of(url: str) -> Probe:
    return Probe("/readyz", port=int(url.rpartition(":")[2]))


def test_200_is_ready(serve: Serve) -> None:
    url, served = serve((200, {}, b"{}"))
    assert probe_of(url).ask() == Answer(True)
    assert served.requests[0][1] == "/readyz"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (503, {"checks": {"database": "ok", "keys": "KeysUnavailable"}}, "is not ready: keys: KeysUnavailable"),
        (503, {"checks": {"database": "ok"}}, "answers 503"),
        (404, {"detail": "no"}, "answers 404"),
        (500, [], "answers 500"),
    ],
)
def test_anything_else_is_not_and_says_why(serve: Serve, status: int, body: object, reason: str) -> None:
    url, _ = serve((status, {}, json.dumps(body).encode()))
    assert probe_of(url).ask() == Answer(False, reason)


def test_silence_is_a_reason(tmp_path: Path) -> None:
    assert not Probe("/readyz", unix=tmp_path / "nothing.sock").ask().ready
    assert Probe("/readyz", port=9).ask().reason.startswith("does not answer")


def test_an_answer_that_never_comes_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert Probe("/readyz", unix=path).ask(timeout=0.1).reason == "does not answer (timed out)"


def test_a_unix_socket_is_asked_too(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        assert Probe("/readyz", unix=path).ask() == Answer(True)
        thread.join()
