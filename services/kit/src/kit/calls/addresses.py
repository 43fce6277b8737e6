"""Where the other services listen: a Unix socket, a host and port, or the gateway's public URL."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Address:
    """Where one service is reached."""

    base_url: str
    socket: str | None = None

    @classmethod
    def read(cls, service: str, written: str) -> "Address":
        """From the path of a socket, `host:port` or a URL."""
        if written.startswith("/"):
            return cls(f"http://{service}", written)
        return cls((written if "://" in written else f"http://{written}").rstrip("/"))

    def transport(self) -> httpx.AsyncBaseTransport:
        """What connects there; proxies of the environment are not used."""
        return httpx.AsyncHTTPTransport(uds=self.socket)


Transports = Callable[[str], httpx.AsyncBaseTransport]
"""Makes the transport to a service by its name; tests call apps without a network."""


def address_of(service: str, upstreams: Mapping[str, str], public_url: str) -> Address:
    """Where a service is reached: where the settings say, else through the gateway."""
    return Address.read(service, upstreams.get(service) or public_url)
