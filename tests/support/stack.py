"""The whole of Trellis as processes of its own, on a free port: for journeys and measurements."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import httpx
import psutil

from tests.support import cluster
from trellis import places
from trellis.processes import Identity, command_of

HOUSE = Path(__file__).resolve().parents[2]
START_SECONDS = 240

# Tests ask for far more tokens than any person would.
LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "TRELLIS_LIMIT_TOKEN_REQUESTS_PER_MINUTE": "100000",
        "TRELLIS_LIMIT_REQUESTS_PER_MINUTE": "1000000",
        "TRELLIS_LIMIT_PUBLIC_REQUESTS_PER_MINUTE": "1000000",
    }
)

_WATCHDOG = """
import os, shutil, subprocess, sys, time
from pathlib import Path
owner, folder = int(sys.argv[1]), Path(sys.argv[2])
def alive():
    try:
        os.kill(owner, 0)
        return "\\nState:\\tZ" not in Path(f"/proc/{owner}/status").read_text()
    except OSError:
        return False
while alive():
    time.sleep(0.5)
subprocess.run([sys.executable, "-P", "-m", "trellis.cli", "down"])
shutil.rmtree(folder, ignore_errors=True)
"""


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Stack:
    """One installation with its state in `folder`, run by the `trellis` command as any operator runs it."""

    def __init__(
        self,
        folder: Path,
        *,
        demo: bool = True,
        port: int | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
        interpreter: Sequence[str] = (sys.executable,),
        user: int | None = None,
    ) -> None:
        """`demo` loads the demo trusts; `environment` adds settings; `user` runs it as somebody else."""
        self.state = folder / "state"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._demo = demo
        self._interpreter = interpreter
        self._user = user
        # Its many processes compile a module once, not each for itself.
        left_out = ("TRELLIS_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
        outer = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        self.environment = {
            **outer,
            **LIMITS,
            **environment,
            "TRELLIS_STATE_DIR": str(self.state),
            "TRELLIS_LISTEN_PORT": str(self.port),
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cli("down")

    def start(self) -> str:
        """Start it; what `trellis up` printed."""
        return self.cli("up", *(() if self._demo else ("--no-demo",))).stdout

    def cli(
        self, *arguments: str, check: bool = True, timeout: float = START_SECONDS
    ) -> "subprocess.CompletedProcess[str]":
        """Run `trellis`. With `check` a failure is an AssertionError with what was said."""
        done = subprocess.run(
            [*self._interpreter, "-P", "-m", "trellis.cli", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd="/",
        )
        if check:
            assert done.returncode == 0, f"trellis {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done

    def token(self, role: str, *, trust: str | None = None, academies: Sequence[int] = ()) -> str:
        """An access token of a demo person."""
        said: dict[str, object] = {"role": role}
        if trust:
            said["trust"] = trust
        if academies:
            said["academies"] = list(academies)
        answer = httpx.post(f"{self.url}/identity/v1/demo-token", json=said, timeout=30)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        return token

    def client(
        self, role: str, *, trust: str | None = None, academies: Sequence[int] = (), **options: Any
    ) -> httpx.Client:
        """A client that sends such a token; the caller closes it."""
        headers = {"Authorization": f"Bearer {self.token(role, trust=trust, academies=academies)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=options.pop("timeout", 60), **options)

    def status(self) -> dict[str, Any]:
        """What `trellis status --json` says."""
        told: dict[str, Any] = json.loads(self.cli("status", "--json", check=False).stdout)
        return told

    def program(self, name: str) -> dict[str, Any]:
        """How one program is, straight from the supervising process's report."""
        report = json.loads((self.state / "run" / "report.json").read_text())
        found: dict[str, Any] = next(one for one in report["programs"] if one["name"] == name)
        return found

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill one program; the number of the process that was killed."""
        pid: int = self.program(name)["pid"]
        process = Identity.of(pid)
        assert process is not None
        process.send(number)
        assert process.wait(10)
        return pid

    def until_ready(self, name: str, *, other_than: int | None = None, seconds: float = 60) -> None:
        """Wait until a program is ready again, in another process than `other_than`."""

        def is_back() -> bool:
            found = self.program(name)
            return bool(found["stage"] == "ready" and found["pid"] and found["pid"] != other_than)

        eventually(is_back, seconds)


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def shared_stack(purpose: str) -> Stack:
    """The test run's demo installation for a purpose, started by whoever asks first; it ends with the run.

    Tests that share it leave nothing broken behind: what they kill is back before they end.
    """
    owner, _, name = os.environ[cluster.FOLDER].partition(":")
    folder = Path(f"{name}-{purpose}")
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    with cluster._locked(folder / "lock"):
        kept = folder / "port"
        if kept.exists():
            return Stack(folder, port=int(kept.read_text()))
        stack = Stack(folder)
        _watch(owner, folder, stack.environment)
        stack.start()
        kept.write_text(str(stack.port))
    return stack


def _watch(owner: str, folder: Path, environment: Mapping[str, str]) -> None:
    """End it even when the run is killed: by a process that belongs to nobody."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "watch", sys.executable, "-P", "-c", _WATCHDOG, owner, str(folder)],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )


def processes_of(folder: Path) -> list[str]:
    """The commands of all processes that were started for a folder: it is in their command or environment."""
    found = []
    for number in psutil.pids():
        with contextlib.suppress(psutil.Error):
            # A forked program has the command line of what it was forked from.
            state = psutil.Process(number).environ().get("TRELLIS_STATE_DIR", "")
            command = " ".join(command_of(number))
            if number != os.getpid() and (str(folder) in command or Path(state).is_relative_to(folder)):
                found.append(command)
    return found


def forget(folder: Path) -> None:
    """Remove what a stack left below a folder, wherever it is linked to."""
    for link in folder.rglob("*"):
        if link.is_symlink():
            target = link.readlink()
            if target.is_relative_to(places.SHELTER):
                shutil.rmtree(target.parent, ignore_errors=True)
            elif target.name.startswith("trellis-"):
                shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
