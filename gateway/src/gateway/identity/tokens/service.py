"""Tokens by the ways that the token endpoint knows."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.identity.anonymous import NOBODY, under
from gateway.identity.days import today
from gateway.identity.grants.rules import Grant
from gateway.identity.grants.service import current_grants
from gateway.identity.hashing import hint_of
from gateway.identity.roles import SERVICE_READER
from gateway.identity.tenants.queries import tenant_by_reference
from gateway.identity.tokens import queries
from gateway.identity.tokens.authentication import authenticate
from gateway.identity.tokens.errors import (
    ClientNotEntitled,
    ClientUnknown,
    GrantTypeUnknown,
    RequestMalformed,
    TargetUnknown,
)
from gateway.identity.tokens.exchange import exchange
from gateway.identity.tokens.forms import TokenRequest
from gateway.identity.tokens.issuing import Bearer, issue
from gateway.identity.tokens.queries import KnownClient
from gateway.identity.tokens.request_tools import TokenRequestTools
from gateway.identity.tokens.schemas import CLIENT_CREDENTIALS, TOKEN_EXCHANGE, TokenOut
from kit.database.sessions import Session
from kit.ids import PLATFORM


async def token_for(tools: TokenRequestTools, request: TokenRequest) -> TokenOut:
    """A token for the request.

    Raises a subclass of TokenNotGiven, and ServiceUnavailable when an identity provider can't be reached.
    """
    grant_type = request.get("grant_type")
    if grant_type is None:
        raise RequestMalformed("Say how you want a token: grant_type is missing.")
    if grant_type not in {CLIENT_CREDENTIALS, TOKEN_EXCHANGE}:
        raise GrantTypeUnknown(f"Send {CLIENT_CREDENTIALS} or {TOKEN_EXCHANGE} as grant_type.")
    _check_target(tools, request)
    client = await authenticate(tools, request)
    if grant_type == TOKEN_EXCHANGE:
        return await exchange(tools, client, request)
    return await _for_machine(tools, client, request)


def _check_target(tools: TokenRequestTools, request: TokenRequest) -> None:
    """Raises TargetUnknown unless the token is wanted for us (RFC 8693, 2.1; RFC 8707)."""
    resource = request.get("resource")
    base = tools.settings.public_url
    is_ours = resource is None or resource == base or resource.startswith(f"{base}/")
    if request.get("audience") not in {None, tools.settings.audience} or not is_ours:
        raise TargetUnknown("Tokens are given for this service only.")


async def _for_machine(tools: TokenRequestTools, client: KnownClient, request: TokenRequest) -> TokenOut:
    if client.kind == "public":
        raise ClientNotEntitled("A public client has no rights of its own; it brings the ID tokens of people.")
    async with tools.database.session(NOBODY) as session:
        async with under(session, client.trust_id, subject=f"client:{client.id}"):
            # The secret was checked outside of this transaction.
            if not await queries.still_active(session, client):
                raise ClientUnknown("No such client, or a wrong secret.")
            await queries.note_use(session, client, hint_of(request.client_secret or ""), today())
            grants = await current_grants(session, client.trust_id, client_id=client.id)
        bearer = Bearer(f"client:{client.id}", request.client_id, request.get("role"), request.get("scope"))
        counting = await _of_named_trust(session, client, request.get("trust"), request.get("role"), grants)
        return await issue(session, tools.equipment, bearer, counting)


async def _of_named_trust(
    session: Session, client: KnownClient, trust: str | None, role: str | None, grants: Sequence[Grant]
) -> Sequence[Grant]:
    """The grants that count for a token of the trust that the request names.

    Only a service reader names a trust that isn't its own, and it always names one. Raises RequestMalformed and
    ClientNotEntitled.
    """
    if trust is None:
        others = [grant for grant in grants if grant.role != SERVICE_READER]
        if role == SERVICE_READER or (grants and not others):
            raise RequestMalformed("A service reader's token is for one trust: send it as trust.")
        return others
    tenant = await tenant_by_reference(session, trust)
    if client.trust_id != PLATFORM:
        if tenant is None or tenant.id != client.trust_id:
            raise RequestMalformed("The client belongs to another trust.")
        return grants
    reading = [grant for grant in grants if grant.role == SERVICE_READER]
    if not reading:
        raise ClientNotEntitled(f"Only a client with the role {SERVICE_READER} gets tokens of a trust that it names.")
    if tenant is None or not tenant.is_active:
        raise RequestMalformed("There is no active trust of this name.")
    return [replace(grant, trust_id=tenant.id) for grant in reading]
