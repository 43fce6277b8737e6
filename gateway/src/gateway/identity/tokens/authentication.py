"""How a client proves who it is.

A wrong secret, an unknown client, a disabled one and one of a disabled trust take the same work and get the same
answer: whenever a secret is sent, exactly one hash is checked, in a thread, after the database was let go.
"""

from gateway.identity.anonymous import NOBODY
from gateway.identity.clients.rules import parse_client_id
from gateway.identity.hashing import HasherBusy, hint_of
from gateway.identity.tokens import queries, throttle
from gateway.identity.tokens.errors import ClientUnknown, OverBurdened
from gateway.identity.tokens.forms import TokenRequest
from gateway.identity.tokens.queries import KnownClient
from gateway.identity.tokens.request_tools import TokenRequestTools
from kit import clock
from kit.database.sessions import Session
from kit.telemetry.logs import logger

log = logger(__name__)


async def authenticate(tools: TokenRequestTools, request: TokenRequest) -> KnownClient:
    """The client that the request comes from.

    Raises ClientUnknown, TooManyAttempts, and OverBurdened when too many secrets are being checked.
    """
    counters = throttle.client_counters(tools.equipment.digests, request.client_id, tools.address)
    async with tools.database.session(NOBODY) as session:
        failed_lately = await throttle.check(session, counters)
        client = await _find(session, request)
    if client is not None and await _proves(tools, client, request.client_secret):
        if failed_lately:
            async with tools.database.session(NOBODY) as session:
                await throttle.forgive(session, counters)
        return client
    if client is None and request.client_secret is not None:
        await _proves(tools, None, request.client_secret)
    async with tools.database.session(NOBODY) as session:
        await throttle.count_failure(session, counters)
    log.warning("a client didn't prove who it is", is_known=client is not None)
    raise ClientUnknown("No such client, or a wrong secret.")


async def _find(session: Session, request: TokenRequest) -> KnownClient | None:
    named = parse_client_id(request.client_id)
    if named is None:
        return None
    return await queries.known_client(session, *named, hint_of(request.client_secret or ""), clock.now())


async def _proves(tools: TokenRequestTools, client: KnownClient | None, secret: str | None) -> bool:
    if secret is None:
        return client is not None and client.kind == "public"
    try:
        return await tools.equipment.hasher.verify(client.hash if client is not None else None, secret)
    except HasherBusy:
        raise OverBurdened from None
