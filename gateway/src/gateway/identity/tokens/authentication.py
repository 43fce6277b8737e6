"""How a client proves who it is.

A right secret is always taken, from any address and whatever failed before: pauses are for further failures (ADR 0089).
A wrong secret, an unknown client, a disabled one and one of a disabled trust take the same work and get the same
answer. Only a secret from before digests were kept costs a hash, in a thread, after the database was let go.
"""

from gateway.identity.anonymous import NOBODY
from gateway.identity.clients.rules import parse_client_id
from gateway.identity.hashing import HasherBusy, hint_of, is_of
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

    Raises ClientUnknown, TooManyAttempts, and OverBurdened when too many hashes are being checked.
    """
    counters = throttle.client_counters(tools.equipment.digests, request.client_id, tools.address)
    async with tools.database.session(NOBODY) as session:
        before = await throttle.standing(session, counters)
        client = await _find(session, request)
    if client is not None and await _proves(tools, client, request.client_secret):
        if before.failed_lately:
            async with tools.database.session(NOBODY) as session:
                await throttle.forgive(session, counters)
        return client
    log.warning("a client didn't prove who it is", is_known=client is not None)
    async with tools.database.session(NOBODY) as session:
        await throttle.note_failure(session, counters, before)
    raise ClientUnknown("No such client, or a wrong secret.")


async def _find(session: Session, request: TokenRequest) -> KnownClient | None:
    named = parse_client_id(request.client_id)
    if named is None:
        return None
    return await queries.known_client(session, *named, hint_of(request.client_secret or ""), clock.now())


async def _proves(tools: TokenRequestTools, client: KnownClient, secret: str | None) -> bool:
    if secret is None:
        return client.kind == "public"
    if client.digest is not None:
        return is_of(client.digest, secret)
    return client.hash is not None and await _proves_by_hash(tools, client, client.hash, secret)


async def _proves_by_hash(tools: TokenRequestTools, client: KnownClient, stored: str, secret: str) -> bool:
    """Check a secret from before digests were kept; the next time its digest is enough."""
    try:
        matches = await tools.equipment.hasher.verify(stored, secret)
    except HasherBusy:
        raise OverBurdened from None
    if matches:
        async with tools.database.session(NOBODY) as session:
            await queries.keep_digest(session, client, secret)
    return matches
