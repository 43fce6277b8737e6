"""What may be called: https to the public internet, and what the operator has opened beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import httpx

from kit.outbound.addresses import Address, is_metadata, refusal_of
from kit.outbound.errors import AddressNotAllowed, UrlNotAllowed
from kit.outbound.hosts import as_address, opened_hosts, plain_host

LONGEST_URL: Final = 2000
_HIGHEST_PORT: Final = 65_535
_PORTS: Final = {"http": 80, "https": 443}


class OutboundSettings(Protocol):
    """What of a service's settings decides here."""

    @property
    def outbound_allow(self) -> Any:
        """Hosts that an operator has opened."""
        ...

    @property
    def env(self) -> str:
        """The demo opens loopback."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads, as it is connected to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """What may be called.

    `opened` are hosts, or hosts with a port (None: any), that may have an address of any kind and be called over http;
    never the metadata address of a cloud. `opens_loopback` opens this machine, in a demo.
    """

    opened: frozenset[tuple[str, int | None]] = frozenset()
    opens_loopback: bool = False

    @classmethod
    def of(cls, settings: OutboundSettings) -> Self:
        """The policy of an installation."""
        return cls(opened_hosts(settings.outbound_allow), opens_loopback=settings.env == "demo")

    def target(self, url: httpx.URL) -> Target:
        """Where a URL leads. Raises UrlNotAllowed."""
        if len(str(url)) > LONGEST_URL:
            raise UrlNotAllowed(f"The URL is longer than {LONGEST_URL} characters.")
        if url.scheme not in _PORTS:
            raise UrlNotAllowed("The URL must begin with https://.")
        if url.userinfo:
            raise UrlNotAllowed("The URL must not hold a name or a password.")
        host = plain_host(url.raw_host.decode("ascii"))
        target = Target(url.scheme, host, _PORTS[url.scheme] if url.port is None else url.port)
        if not 0 < target.port <= _HIGHEST_PORT:
            raise UrlNotAllowed(f"The URL's port must be 1 to {_HIGHEST_PORT}.")
        if target.scheme == "http" and not self._opens(target) and not self._is_own_machine(host):
            raise UrlNotAllowed("The URL must begin with https://.")
        return target

    def check(self, target: Target, addresses: Sequence[Address]) -> None:
        """Raises AddressNotAllowed unless every one of these addresses may be reached for the target."""
        for address in addresses:
            reason = refusal_of(address)
            if reason is None:
                continue
            is_open = self._opens(target) or (self.opens_loopback and address.is_loopback)
            if is_metadata(address) or not is_open:
                raise AddressNotAllowed(f"{target.host} leads to {address}, {reason}.")

    def _opens(self, target: Target) -> bool:
        return not self.opened.isdisjoint({(target.host, target.port), (target.host, None)})

    def _is_own_machine(self, host: str) -> bool:
        address = as_address(host)
        is_loopback = host == "localhost" or (address is not None and address.is_loopback)
        return self.opens_loopback and is_loopback
