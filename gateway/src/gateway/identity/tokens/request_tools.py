"""What the token endpoint works with."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from gateway.identity.equipment import Equipment
from gateway.identity.settings import IdentitySettings
from gateway.identity.tokens.id_tokens import IdTokens
from kit.database.sessions import Database


@dataclass(frozen=True, slots=True)
class TokenRequestTools:
    """The tools for one request, and where it comes from."""

    equipment: Equipment
    database: Database
    id_tokens: IdTokens
    address: str

    @property
    def settings(self) -> IdentitySettings:
        """The settings of the app."""
        return self.equipment.settings


def address_of(peer: str | None, forwarded: Sequence[str], settings: IdentitySettings) -> str:
    """The address that a request comes from: the last that our own gateway added, or that of the connection.

    `peer` is the address of the connection, `forwarded` the values of X-Forwarded-For, in their order. What a client
    itself wrote there comes before what our gateway added, and is never believed.
    """
    is_gateway = not peer or _is_trusted(peer, settings)
    if is_gateway and forwarded:
        return forwarded[-1].rpartition(",")[2].strip()[:64] or "unknown"
    return peer or "unknown"


def _is_trusted(peer: str, settings: IdentitySettings) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        # A Unix socket has no address.
        return True
    return any(address in network for network in settings.trusted_proxies)
