"""What the token endpoint works with."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request

from gateway.identity.equipment import Equipment, equipment_of
from gateway.identity.settings import IdentitySettings
from gateway.identity.tokens.id_tokens import IdTokens
from kit.db import Database


@dataclass(frozen=True, slots=True)
class Desk:
    """The tools for one request, and where it comes from."""

    equipment: Equipment
    database: Database
    id_tokens: IdTokens
    address: str

    @property
    def settings(self) -> IdentitySettings:
        """The settings of the app."""
        return self.equipment.settings


def address_of(request: Request, settings: IdentitySettings) -> str:
    """The address that a request comes from: the last that our own gateway added, or that of the connection.

    What a client itself wrote into X-Forwarded-For comes before, and is never believed.
    """
    peer = request.client.host if request.client is not None else ""
    is_gateway = not peer or _is_trusted(peer, settings)
    forwarded = request.headers.getlist("x-forwarded-for")
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


def _desk(request: Request) -> Desk:
    equipment = equipment_of(request)
    return Desk(
        equipment=equipment,
        database=request.app.state.database,
        id_tokens=request.app.state.id_tokens,
        address=address_of(request, equipment.settings),
    )


DeskDep = Annotated[Desk, Depends(_desk)]
