"""Hosts as they are written: in one spelling, so that what is checked is what is called."""

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address
from typing import Final

import httpx

from kit.outbound.addresses import Address
from kit.outbound.errors import UrlNotAllowed

# 0x7f.1, 2130706433, 0177.0.0.1: resolvers read these as IPv4 addresses, each in its own way.
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|\d+")


def plain_host(host: str) -> str:
    """A host in its one spelling: lower case, no dot at the end, no brackets. Raises UrlNotAllowed."""
    host = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if not host or "%" in host:
        raise UrlNotAllowed("The URL names no host that can be reached.")
    address = as_address(host)
    if address is None and _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise UrlNotAllowed("Write an IPv4 address as four decimal numbers with dots between them.")
    return str(address) if isinstance(address, IPv6Address) else host


def as_address(host: str) -> Address | None:
    """The address that a host is, when it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def opened_hosts(entries: Iterable[str]) -> frozenset[tuple[str, int | None]]:
    """The hosts of an allow-list: `host` or `[ipv6]` for any port, `host:port` or `[ipv6]:port` for one.

    Raises ValueError.
    """
    return frozenset(_opened(entry) for entry in entries)


def _opened(entry: str) -> tuple[str, int | None]:
    try:
        # Of a scheme without a usual port, which httpx would leave out.
        url = httpx.URL(f"host://{entry}")
        host = plain_host(url.raw_host.decode("ascii"))
    except (httpx.InvalidURL, UrlNotAllowed):
        raise ValueError(f"{entry!r} is no host and no host:port") from None
    if url.userinfo or url.path not in {"", "/"} or url.query or url.fragment or "*" in host:
        raise ValueError(f"{entry!r} is no host and no host:port")
    return host, url.port
