"""Tokens by the ways that the token endpoint knows."""

from gateway.identity.anonymous import NOBODY, under
from gateway.identity.days import today
from gateway.identity.grants.service import current_grants
from gateway.identity.hashing import hint_of
from gateway.identity.tenants.queries import tenant_by_reference
from gateway.identity.tokens import queries
from gateway.identity.tokens.authentication import authenticate
from gateway.identity.tokens.desk import Desk
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
from gateway.identity.tokens.schemas import CLIENT_CREDENTIALS, TOKEN_EXCHANGE, TokenOut


async def token_for(desk: Desk, request: TokenRequest) -> TokenOut:
    """A token for the request.

    Raises a subclass of TokenNotGiven, and ServiceUnavailable when an identity provider can't be reached.
    """
    grant_type = request.get("grant_type")
    if grant_type is None:
        raise RequestMalformed("Say how you want a token: grant_type is missing.")
    if grant_type not in {CLIENT_CREDENTIALS, TOKEN_EXCHANGE}:
        raise GrantTypeUnknown(f"Send {CLIENT_CREDENTIALS} or {TOKEN_EXCHANGE} as grant_type.")
    _check_target(desk, request)
    client = await authenticate(desk, request)
    if grant_type == TOKEN_EXCHANGE:
        return await exchange(desk, client, request)
    return await _for_machine(desk, client, request)


def _check_target(desk: Desk, request: TokenRequest) -> None:
    """Raises TargetUnknown unless the token is wanted for us (RFC 8693, 2.1; RFC 8707)."""
    resource = request.get("resource")
    base = desk.settings.public_url
    is_ours = resource is None or resource == base or resource.startswith(f"{base}/")
    if request.get("audience") not in {None, desk.settings.audience} or not is_ours:
        raise TargetUnknown("Tokens are given for this service only.")


async def _for_machine(desk: Desk, client: KnownClient, request: TokenRequest) -> TokenOut:
    if client.kind == "public":
        raise ClientNotEntitled("A public client has no rights of its own; it brings the ID tokens of people.")
    async with desk.database.session(NOBODY) as session:
        trust = request.get("trust")
        if trust is not None:
            tenant = await tenant_by_reference(session, trust)
            if tenant is None or tenant.id != client.trust_id:
                raise RequestMalformed("The client belongs to another trust.")
        async with under(session, client.trust_id, subject=f"client:{client.id}"):
            # The secret was checked outside of this transaction.
            if not await queries.still_active(session, client):
                raise ClientUnknown("No such client, or a wrong secret.")
            await queries.note_use(session, client, hint_of(request.client_secret or ""), today())
            grants = await current_grants(session, client.trust_id, client_id=client.id)
        bearer = Bearer(f"client:{client.id}", request.client_id, request.get("role"), request.get("scope"))
        return await issue(session, desk.equipment, bearer, grants)
