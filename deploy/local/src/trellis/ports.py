"""Whether the gateway's port is free, and who has it when it isn't."""

import contextlib
import errno
import socket
from pathlib import Path

import psutil

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
    listeners = _listeners(port)
    for pid, _ in listeners:
        if pid is not None:
            return f"{_described(pid)} (process {pid})"
    users = {places.Account.of(uid).name for _, uid in listeners if uid is not None}
    return f"a program of the user {' or '.join(sorted(users))}" if users else "another program"


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


def _listeners(port: int) -> list[tuple[int | None, int | None]]:
    """Process and user of each socket that listens on a port, each as far as we may know it."""
    try:
        found: list[tuple[int | None, int | None]] = [
            (one.pid, None)
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
        ]
    except psutil.AccessDenied:
        # macOS shows sockets of others to root alone.
        return []
    return found if any(pid is not None for pid, _ in found) else [(None, uid) for uid in _users(port)]


def _users(port: int) -> list[int]:
    """The users of sockets whose processes we may not see (Linux): psutil doesn't tell them."""
    found = []
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (processes.PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    found.append(int(fields[7]))
    return found
