"""A taken port is named together with who has it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from trellis import ports


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket that listens on a port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening


def port_of(listening: socket.socket) -> int:
    port: int = listening.getsockname()[1]
    return port


def test_a_free_port_can_be_claimed_again_and_again(listener: socket.socket) -> None:
    port = port_of(listener)
    listener.close()
    ports.claim("127.0.0.1", port)
    ports.claim("127.0.0.1", port)


def test_a_taken_port_names_the_program_and_its_number(listener: socket.socket) -> None:
    with pytest.raises(ports.PortTaken) as refused:
        ports.claim("127.0.0.1", port_of(listener))
    assert f"Port {port_of(listener)} on 127.0.0.1 is taken by" in str(refused.value)
    assert f"(process {os.getpid()})" in str(refused.value)


def test_a_port_taken_on_every_address_is_taken() -> None:
    with socket.socket() as listening:
        listening.bind(("", 0))
        listening.listen()
        with pytest.raises(ports.PortTaken):
            ports.claim("127.0.0.1", port_of(listening))


def test_a_port_shared_by_its_holder_is_taken_all_the_same() -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with pytest.raises(ports.PortTaken):
            ports.claim("127.0.0.1", port_of(listening))


def test_another_installation_is_named_by_its_state_folder(tmp_path: Path) -> None:
    configuration = tmp_path / ".trellis" / "run" / "envoy.json"
    code = (
        "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(configuration)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        holder = ports.holder(int(other.stdout.readline()))
        other.terminate()
    assert holder == f"the gateway of the Trellis in {tmp_path / '.trellis'} (process {other.pid})"


def test_a_holder_that_may_not_be_seen_is_named_by_its_user(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(listener)
    unseen = [one._replace(pid=None) for one in psutil.net_connections("tcp")]
    monkeypatch.setattr(psutil, "net_connections", lambda _kind: unseen)
    assert ports.holder(port).startswith("a program of the user ")


def test_nobody_is_named_where_nothing_can_be_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_kind: str) -> list[object]:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", refused)
    assert ports.holder(1) == "another program"


def test_an_address_of_another_machine_is_an_error_of_its_own() -> None:
    with pytest.raises(OSError, match="assign"):
        ports.claim("192.0.2.1", 8080)
