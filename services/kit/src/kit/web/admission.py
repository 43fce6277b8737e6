"""Whether a request may go on: everything that the contract rules out is refused before it is routed."""

from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

from kit import problems
from kit.field_codes import KitCode
from kit.identity.callers import Authenticator, check_scopes
from kit.identity.reach import check_reach
from kit.settings import ServiceSettings
from kit.web.bodies import check_json, check_media_type, is_json, media_type_of, too_large
from kit.web.exchange import exchange_of
from kit.web.operation import Operation
from kit.web.operations import PathOperations
from kit.web.security import READS
from kit.web.validation import query_errors


class Admission:
    """Checks requests against the operations of a service."""

    def __init__(self, settings: ServiceSettings, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator

    async def admit(self, path: PathOperations | None, scope: Scope, receive: Receive) -> Receive:
        """Let a request in: gives what its body is read from.

        Raises the problem that rules it out; what is wrong with the query is kept for later, to be
        told together with what is wrong with the rest.
        """
        _check_host(scope)
        if path is None:
            raise problems.NotFound("There is nothing at this path.")
        _check_path(scope)
        exchange = exchange_of(scope)
        operation = path.find(scope["method"])
        if operation is None:
            raise problems.MethodNotAllowed(f"This path takes {path.allow}.", headers={"Allow": path.allow})
        if operation.scopes is not None:
            authorization = [value for name, value in scope["headers"] if name == b"authorization"]
            exchange.caller = caller = await self._authenticator.authenticate(authorization)
            check_scopes(caller, operation.scopes)
            check_reach(caller, operation.acts_on)
        if scope["query_string"] and (errors := query_errors(scope["query_string"], operation.query)):
            exchange.query_errors = errors
        if scope["method"] not in READS:
            receive = await self._admit_body(operation, scope, receive)
        _, found = operation.route.matches(scope)
        scope.update(found)
        exchange.operation = operation
        return receive

    async def _admit_body(self, operation: Operation, scope: Scope, receive: Receive) -> Receive:
        headers = Headers(scope=scope)
        length, content_type = headers.get("content-length", ""), headers.get("content-type")
        if operation.is_streamed:
            check_media_type(content_type, operation.media_types, None)
            return receive
        limit = min(self._settings.max_body_bytes, operation.largest_body_bytes)
        if length.isdigit() and int(length) > limit:
            raise too_large(limit)
        if length == "0" or (not length and "transfer-encoding" not in headers):
            return receive
        if operation.media_types:
            check_media_type(content_type, operation.media_types, headers.get("content-encoding"))
        body = await _read(receive, limit)
        media_type = media_type_of(content_type)
        if body and operation.media_types and media_type is not None and is_json(media_type):
            check_json(body, deepest=self._settings.max_json_depth)
        # What would be read by nobody isn't taken in silence; `{}` says nothing, and many clients send it.
        if not operation.media_types and body.strip() not in (b"", b"{}"):
            error = problems.FieldError(
                pointer="#", code=KitCode.UNEXPECTED_BODY, detail="This operation takes no body."
            )
            raise problems.InvalidRequest("This operation takes no body.", errors=[error])
        return _replay(body, receive)


def _check_host(scope: Scope) -> None:
    """One name at most: of two, programs believe different ones (RFC 9112, 3.2)."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) > 1 or (hosts and b"," in hosts[0]):
        raise problems.MalformedRequest("Send one Host header.")


def _check_path(scope: Scope) -> None:
    raw = scope.get("raw_path") or scope["path"].encode()
    if b"%" not in raw and raw.isascii():
        return
    decoded = unquote_to_bytes(raw)
    try:
        decoded.decode()
    except UnicodeDecodeError:
        raise problems.MalformedRequest("The path isn't valid UTF-8.") from None
    if b"\0" in decoded:
        raise problems.MalformedRequest("The path holds a NUL character.")


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, then whatever comes after it (the caller going away)."""
    waiting = [body]

    async def replayed() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replayed
