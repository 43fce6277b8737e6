"""What watches the programs may be killed too: it comes back, goes on with what runs, and ends when it is asked to."""

import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.stack import Stack, eventually, forget, processes_of
from trellis.attending import WAS_STOPPED
from trellis.processes import Identity

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def watched() -> Iterator[Stack]:
    """An installation without data of its own."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-watched-", dir="/tmp"))
    folder.chmod(0o755)
    stack = Stack(folder, demo=False)
    try:
        with stack:
            yield stack
    finally:
        forget(folder)


def identity_of(stack: Stack, name: str) -> Identity | None:
    """The living process of a name, by its file."""
    found = Identity.read(stack.state / "run" / f"{name}.pid")
    return found if found is not None and found.is_alive() else None


def kill(stack: Stack, name: str) -> Identity:
    """Kill one of the watching processes; which one that was."""
    found = identity_of(stack, name)
    assert found is not None
    found.send(signal.SIGKILL)
    assert found.wait(10)
    return found


def until_another(stack: Stack, name: str, killed: Identity) -> None:
    """Wait for the process that takes the place of a killed one."""
    eventually(lambda: identity_of(stack, name) not in {None, killed}, 60)


def test_whatever_is_killed_comes_back_and_down_leaves_nothing(watched: Stack) -> None:
    stays = watched.program("research")["pid"]
    for _ in range(2):
        supervisor = kill(watched, "supervisor")
        academy = watched.kill("academy")
        until_another(watched, "supervisor", supervisor)
        watched.until_ready("academy", other_than=academy, seconds=120)
        watcher = kill(watched, "watcher")
        until_another(watched, "watcher", watcher)
        # Of the supervising process of this round: the one before it can't have counted.
        eventually(lambda: bool(watched.program("watcher")["restarts"] == 1), 10)
    # What ran on was taken over, not started again.
    assert watched.program("research")["pid"] == stays
    assert httpx.get(f"{watched.url}/healthz").status_code == 200
    assert watched.status()["ready"]

    # A killed supervising process is being replaced at this very moment: it must not come back afterwards.
    kill(watched, "supervisor")
    watched.cli("down")
    assert not processes_of(watched.state)
    assert not watched.status()["programs"]


def test_systemd_gets_one_process_that_stays(watched: Stack) -> None:
    """The stack runs already: `run` says at once that it is ready, and stays until it is ended or nothing runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = f"{watched.state.parent}/notify"
        systemd.bind(address)
        systemd.settimeout(120)

        def run() -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "trellis.cli", "run"],
                env={**watched.environment, "NOTIFY_SOCKET": address},
                stdout=subprocess.DEVNULL,
                cwd="/",
            )
            assert systemd.recv(100) == b"READY=1"
            assert process.poll() is None
            return process

        ended = run()
        # It stays until everything is stopped: what remained would be killed with its unit.
        stopping = subprocess.Popen(
            [sys.executable, "-P", "-m", "trellis.cli", "down"], env=watched.environment, stdout=subprocess.DEVNULL
        )
        assert ended.wait(60) == WAS_STOPPED
        assert not processes_of(watched.state)
        assert stopping.wait(10) == 0
        ended = run()
        assert watched.status()["ready"]
        ended.terminate()
        assert ended.wait(60) == 0
        assert not processes_of(watched.state)


def test_a_program_has_only_its_own_secrets_in_memory(watched: Stack) -> None:
    """Not those that its parent or the others were given: neither in the environment it began with nor in memory."""
    credentials = (watched.state / "credentials.json").read_text()
    names = ("research_app", "identity_app", "secret_key")
    secrets = {name: credentials.split(f'"{name}": "')[1].split('"')[0] for name in names}
    secrets["administrator"] = (watched.state / "postgres" / "data.password").read_text().strip()
    for name, own in (
        ("identity", {"identity_app", "secret_key"}),
        ("research", {"research_app"}),
        ("academy-worker", set()),
    ):
        process = psutil.Process(watched.program(name)["pid"])
        began_with = Path(f"/proc/{process.pid}/environ").read_bytes()
        memory = memory_of(process.pid)
        assert [secret for secret, value in secrets.items() if value.encode() in began_with] == [], name
        found = {secret for secret, value in secrets.items() if value.encode() in memory}
        assert found == own, name


def memory_of(pid: int) -> bytes:
    """Everything that a process can write to."""
    parts = []
    try:
        opened = Path(f"/proc/{pid}/mem").open("rb", buffering=0)  # noqa: SIM115 - closed below
    except PermissionError:
        pytest.skip("the kernel lets nobody but root look at another process's memory (kernel.yama.ptrace_scope)")
    with opened as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, permissions = line.split()[:2]
            if not permissions.startswith("rw"):
                continue
            start, end = (int(one, 16) for one in span.split("-"))
            memory.seek(start)
            try:
                parts.append(memory.read(end - start))
            except OSError:
                continue
    return b"".join(parts)
