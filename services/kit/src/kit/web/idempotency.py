"""The same request twice has one effect and gets one answer: keys, kept in the transaction of the effect.

A client puts a key of its choice into `Idempotency-Key`. The key, a fingerprint of the request, the effect and the
answer are committed together, so that a crash at any moment leaves all of them or none. Two simultaneous requests with
one key: the second waits for the first and gets its answer. A key belongs to a trust, a client and a route, and is kept
for at least a day. An answer is given again only to a token of the same reach. A request that failed keeps nothing: it
can be sent again.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from fastapi.security import SecurityScopes
from sqlalchemy import text

from kit.database.outages import DRIVER_ERRORS
from kit.database.sessions import Connection, Database, Session, context_of
from kit.field_codes import KitCode
from kit.identity.callers import Caller
from kit.problems import FieldError, InvalidRequest
from kit.secrets.answers import name_of_answer
from kit.secrets.sealing import Seal, SealBroken, is_of_before, is_sealed
from kit.telemetry.logs import logger
from kit.web.security import current_caller
from kit.web.sessions import database_of_request
from kit.web.tools import tools_of

log = logger(__name__)

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
KEPT_HOURS = 48
PURGE_SECONDS = 3600.0
# What is kept of an answer beside its body. Dates, ids of the request and the like belong to each exchange.
KEPT_HEADERS = ("content-type", "location", "etag", "link", "cache-control")


class IdempotencyKeyReused(InvalidRequest):
    """The key was used before with another request or reach of a token, or its answer can't be read any more."""

    code = "idempotency-key-reused"


class IdempotencyKeyInvalid(InvalidRequest):
    """`Idempotency-Key` must be 1 to 255 visible ASCII characters."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request with a key was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def response(self) -> Response:
        """The same answer again."""
        return Response(self.body, status_code=self.status, headers={**self.headers, "Idempotency-Replayed": "true"})


def key_of(request: Request) -> str | None:
    """The request's key; None when it has none. Raises IdempotencyKeyInvalid."""
    values = request.headers.getlist(HEADER)
    if not values:
        return None
    if len(values) > 1 or not _KEY.match(values[0]):
        detail = f"Send one key of 1 to {LONGEST_KEY} visible ASCII characters, such as a UUID."
        raise IdempotencyKeyInvalid(detail, errors=[FieldError.in_header(HEADER, KitCode.INVALID_KEY, detail)])
    return values[0]


def fingerprint(method: str, path: str, query: str, body: bytes | str) -> bytes:
    """What makes two requests the same: method, path, query and body (or the body's SHA-256 when it was streamed)."""
    content = body if isinstance(body, str) else hashlib.sha256(body).hexdigest()
    parts = (method.upper(), path, query, content)
    # Lengths keep the parts apart.
    return hashlib.sha256(b"".join(b"%d:%s" % (len(p.encode()), p.encode()) for p in parts)).digest()


def bound_to(caller: Caller, print_: bytes) -> bytes:
    """The fingerprint of a request together with how far its token reaches: all that decides what an answer shows."""
    reach = [
        None if caller.academies is None else sorted(caller.academies),
        sorted(caller.leads),
        sorted(map(str, caller.projects)),
        sorted(caller.roles),
        sorted(caller.scopes),
    ]
    return hashlib.sha256(print_ + orjson.dumps(reach)).digest()


def client_of(caller: Caller) -> str:
    """Whose keys these are: the client's, and within a client the person's."""
    return f"{caller.client_id or ''}|{caller.subject}"


# The update that changes nothing is what waits for a simultaneous request and then sees what it kept; an expired key
# starts afresh. `xmax = 0` marks a row just inserted.
_CLAIM = text(
    """
    insert into idempotency_key as k (trust_id, client, route, key, fingerprint, expires_at)
    values (:trust_id, :client, :route, :key, :fingerprint, now() + make_interval(hours => :hours))
    on conflict (trust_id, client, route, key) do update set
        fingerprint = case
            when k.expires_at <= now() or k.status is null then excluded.fingerprint else k.fingerprint end,
        status = case when k.expires_at <= now() then null else k.status end,
        expires_at = case when k.expires_at <= now() then excluded.expires_at else k.expires_at end
    returning (k.xmax = 0) as fresh, k.fingerprint, k.status, k.headers, k.body
    """
)

_KEEP = text(
    """
    update idempotency_key set status = :status, headers = cast(:headers as jsonb), body = :body
    where trust_id = :trust_id and client = :client and route = :route and key = :key
    """
)


async def claim(session: Session, caller: Caller, route: str, key: str, fingerprint: bytes) -> StoredAnswer | None:
    """Claim the key for this transaction: None when the request is new, else what was answered the first time.

    Must come before the effect, in the same transaction. Raises IdempotencyKeyReused.
    """
    parameters = {
        "trust_id": caller.tenant_id,
        "client": client_of(caller),
        "route": route,
        "key": key,
        "fingerprint": bound_to(caller, fingerprint),
        "hours": KEPT_HOURS,
    }
    row = (await session.execute(_CLAIM, parameters)).one()
    if row.fresh or row.status is None:
        return None
    # The bare fingerprint is of the release before, which kept no reach; it is forgotten within two days.
    if row.fingerprint not in (parameters["fingerprint"], fingerprint):
        raise IdempotencyKeyReused(
            "This key came before, with another request or with a token whose roles, scopes or academies were others. "
            "If it was this request, look whether it took effect; else use a new key.",
            errors=[
                FieldError.in_header(
                    HEADER, KitCode.KEY_REUSED, "Used before with another request or a token of another reach."
                )
            ],
        )
    headers = row.headers if isinstance(row.headers, dict) else orjson.loads(row.headers)
    return StoredAnswer(row.status, headers, bytes(row.body))


async def keep(session: Session, caller: Caller, route: str, key: str, answer: StoredAnswer) -> None:
    """Keep the answer beside the effect, in the transaction that claimed the key."""
    parameters = {
        "trust_id": caller.tenant_id,
        "client": client_of(caller),
        "route": route,
        "key": key,
        "status": answer.status,
        "headers": orjson.dumps(dict(answer.headers)).decode(),
        "body": answer.body,
    }
    await session.execute(_KEEP, parameters)


def answer_of(response: Response) -> StoredAnswer:
    """What of a response is kept."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    return StoredAnswer(response.status_code, headers, bytes(response.body))


_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "A key that you choose (a UUID). The same key and request within 24 hours has one effect and "
    "returns the same response. The same key with another request, or with a token whose roles, scopes or "
    "academies are others, is rejected with 422 `idempotency-key-reused`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
}


class IdempotentRoute(APIRoute):
    """The `route_class` of routers whose POSTs honour `Idempotency-Key`.

    A POST that changes nothing is exempt by `openapi_extra={"x-idempotent": False}`.
    """

    seals: ClassVar[bool] = False
    """Whether what is kept of an answer is sealed."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **arguments: Any) -> None:
        super().__init__(path, endpoint, **arguments)
        self._honours = "POST" in (self.methods or ()) and (self.openapi_extra or {}).get("x-idempotent") is not False
        if self._honours:
            extra = dict(self.openapi_extra or {})
            extra["parameters"] = [*extra.get("parameters", []), _PARAMETER]
            self.openapi_extra = extra

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, inside the transaction that claims the key when there is one."""
        handle = super().get_route_handler()

        async def handle_once(request: Request) -> Response:
            key = key_of(request) if request.method == "POST" and self._honours else None
            if key is None:
                return await handle(request)
            return await _once(request, handle, f"POST {self.path_format}", key, seals=self.seals)

        return handle_once


class SealedRoute(IdempotentRoute):
    """The `route_class` of routers whose answers hold secrets or what a person wrote: these are kept encrypted."""

    seals = True


async def _once(
    request: Request, handle: Callable[[Request], Coroutine[Any, Any, Response]], route: str, key: str, *, seals: bool
) -> Response:
    caller = await current_caller(request, SecurityScopes(), None)
    body = await request.body()
    print_ = fingerprint(request.method, request.url.path, request.url.query, body)

    async with database_of_request(request).session(context_of(caller)) as session:

        async def answer() -> Response:
            request.state.session = session
            try:
                return await handle(request)
            finally:
                del request.state.session

        return await answer_once(request, session, Claim(caller, route, key, print_), answer, seals=seals)


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that a request comes with: whose it is, for which route, and what makes two requests the same."""

    caller: Caller
    route: str
    key: str
    fingerprint: bytes


async def answer_once(
    request: Request, session: Session, claimed: Claim, answer: Callable[[], Awaitable[Response]], *, seals: bool
) -> Response:
    """What `answer` gives, kept in this transaction; when the key came before, what was answered then.

    With `seals` it is kept encrypted. Raises IdempotencyKeyReused.
    """
    caller, route, key = claimed.caller, claimed.route, claimed.key
    seal = tools_of(request).answer_seal
    name = name_of_answer(caller.tenant_id, client_of(caller), route, key)
    stored = await claim(session, caller, route, key, claimed.fingerprint)
    if stored is not None:
        if seals:
            stored = _opened(stored, seal, name, old_name=f"{request.url.path} {key}")
        return stored.response()
    response = await answer()
    if response.status_code < 500:
        kept = answer_of(response)
        if seals:
            kept = replace(kept, body=seal.close(name, kept.body))
        await keep(session, caller, route, key, kept)
    return response


def _opened(stored: StoredAnswer, seal: Seal, name: str, *, old_name: str) -> StoredAnswer:
    """The answer as it was first given. Raises IdempotencyKeyReused when it can't be opened.

    One that was kept before its route sealed answers, or before keys had ids, still opens.
    """
    if not is_sealed(stored.body):
        return stored
    try:
        return replace(stored, body=seal.open(old_name if is_of_before(stored.body) else name, stored.body))
    except SealBroken:
        raise IdempotencyKeyReused(
            "This key came before, and its answer can't be read any more; look whether the request took effect, and "
            "use a new key.",
            errors=[FieldError.in_header(HEADER, KitCode.ANSWER_UNREADABLE, "Its answer can't be read any more.")],
        ) from None


async def purge(connection: Connection, schema: str) -> int:
    """Forget expired keys of all trusts; gives how many.

    Acts as the janitor role, which sees nothing but the expiry and can only delete what has expired.
    """
    async with connection.transaction():
        await connection.execute(f"set local role {schema}_janitor")
        status = await connection.execute(
            f"delete from {schema}.idempotency_key where expires_at < now()"  # noqa: S608 - our schema's name
        )
    return int(status.rpartition(" ")[2])


async def _purge_hourly(database: Database) -> None:
    while True:
        await asyncio.sleep(PURGE_SECONDS)
        try:
            connection = await database.connect()
            try:
                purged = await purge(connection, database.schema)
            finally:
                await connection.close()
        except (
            OSError,
            *DRIVER_ERRORS,
            TimeoutError,
        ) as error:
            log.warning("expired idempotency keys were not purged", error=type(error).__name__)
        else:
            log.info("expired idempotency keys were purged", keys=purged)


@asynccontextmanager
async def purging(database: Database) -> AsyncIterator[None]:
    """Purge every hour while a service runs."""
    task = asyncio.create_task(_purge_hourly(database), name="purge idempotency keys")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


__all__ = [
    "Claim",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyReused",
    "IdempotentRoute",
    "SealedRoute",
    "StoredAnswer",
    "answer_of",
    "answer_once",
    "claim",
    "fingerprint",
    "keep",
    "key_of",
    "purge",
    "purging",
]
