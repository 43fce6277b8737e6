"""Tests reach nothing but this machine: loopback and Unix sockets."""

import ipaddress
import sys
from typing import Any


class NetworkRefused(AssertionError):
    """A test tried to leave this machine."""


_LOCAL_NAMES = frozenset({"localhost", "", None})


def _is_local(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        if not _is_local(arguments[0]):
            raise NetworkRefused(f"a test looked up {arguments[0]!r}")
    elif event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_local(address[0]):
            raise NetworkRefused(f"a test connected to {address!r}")


def refuse_network() -> None:
    """From now on and until this process ends."""
    sys.addaudithook(_guard)
