"""Whether the gateway's port is free, and who has it when it isn't."""

import contextlib
import errno
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from trellis import places, processes

LISTENING = "0A"


class PortTaken(Exception):
    """Another program listens where the gateway should; the message says which, as far as that can be known."""


def claim(host: str, port: int) -> None:
    """Make sure that nobody listens on a port. Raises PortTaken; OSError for an address that isn't ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Not SO_REUSEPORT: two gateways with it would share the port, and each get half of the requests.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise PortTaken(f"Port {port} may only be used by root; choose one from 1024 on.") from None
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE:
                raise
            raise PortTaken(f"Port {port} on {host} is taken by {holder(port)}.") from None


def holder(port: int) -> str:
    """Who listens on a port, in words: the program and its number, else its user, else "another program"."""
    users = set()
    for inode, uid in _listeners(port):
        pid = _process_with(inode)
        if pid is not None:
            return f"{_described(pid)} (process {pid})"
        users.add(places.Account.of(uid).name)
    if users:
        return f"a program of the user {' or '.join(sorted(users))}"
    return _asked_of_lsof(port) or "another program"


def _described(pid: int) -> str:
    command = processes.command_of(pid)
    if not command:
        return "a program"
    for argument in command:
        # Another installation's gateway: its configuration lies in its state folder.
        if argument.endswith("run/envoy.json"):
            return f"the gateway of the Trellis in {Path(argument).parent.parent}"
    words = " ".join([Path(command[0]).name, *command[1:]])
    return f"`{words if len(words) <= 80 else words[:77] + '...'}`"


def _listeners(port: int) -> Iterator[tuple[str, int]]:
    """Inode and user of each socket that listens on a port (Linux)."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (processes.PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9], int(fields[7])


def _process_with(inode: str) -> int | None:
    """The process that has a socket open; None when it is another user's."""
    wanted = f"socket:[{inode}]"
    for folder in processes.PROC.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            for entry in folder.iterdir():
                with contextlib.suppress(OSError):
                    if str(entry.readlink()) == wanted:
                        return int(folder.parent.name)
    return None


def _asked_of_lsof(port: int) -> str | None:
    program = shutil.which("lsof")
    if program is None:
        return None
    asked = subprocess.run(
        [program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpc"], capture_output=True, text=True, check=False
    )
    found = {line[0]: line[1:] for line in asked.stdout.splitlines() if line}
    return f"`{found['c']}` (process {found['p']})" if {"c", "p"} <= found.keys() else None
