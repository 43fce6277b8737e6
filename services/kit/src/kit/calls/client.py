"""The one client for calls to other services (docs/adr/0078)."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import httpx
import orjson
from pydantic import BaseModel, SecretStr, ValidationError

from kit.calls.addresses import Address, Transports, address_of
from kit.calls.caching import AnswerCache, Kept
from kit.calls.declared import TOKEN, Call, TokenAnswer
from kit.calls.errors import CalleeAnswerUnreadable, CalleeUnauthorized, CalleeUnavailable, CallFailed, kind_of
from kit.calls.retrying import RETRIED, RetryPolicy, retry_after
from kit.calls.tokens import ServiceTokens
from kit.identity.callers import Caller
from kit.settings import ServiceSettings
from kit.telemetry.logs import logger, request_id
from kit.telemetry.tracing import trace_headers

log = logger(__name__)

Answer = TypeVar("Answer", bound=BaseModel)
Query = Mapping[str, str | int | Sequence[str] | None]

LARGEST_ANSWER_BYTES: Final = 16 * 1024 * 1024
_NOTHING: Final[Mapping[str, Any]] = {}


class Calls:
    """The calls of one process. Connections open at first use; close them with `aclose`."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        transports: Transports | None = None,
        policy: RetryPolicy | None = None,
        cache: AnswerCache | None = None,
    ) -> None:
        self._settings = settings
        self._transports = transports
        self._policy = policy or RetryPolicy()
        self._cache = cache or AnswerCache()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._tokens = ServiceTokens(self._fetch_token)

    def of_caller(self, authorization: str, caller: Caller, passed_on: Mapping[str, str] = _NOTHING) -> "CallsOfCaller":
        """Calls in a request: with the caller's own token, so that rights stay the caller's.

        `passed_on` are headers of the request that go along, such as `traceparent`.
        """
        return CallsOfCaller(self, authorization, view_of(caller), passed_on)

    def of_service(self, trust_id: UUID) -> "CallsOfService":
        """Calls in a job: with a token of the service's client for this trust alone, which only reads."""
        return CallsOfService(self, self._tokens, trust_id)

    def following(self) -> "CallsOfService":
        """Calls that read feeds across trusts, and nothing else."""
        return CallsOfService(self, self._tokens, None)

    async def aclose(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def exchange(
        self,
        call: Call[Answer],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Query = _NOTHING,
        content: bytes | None = None,
        headers: Mapping[str, str],
        view: str | None,
        seconds: float | None = None,
    ) -> Answer:
        """Send one call and read its answer; with `view` an answer may come out of the cache, once revalidated.

        Raises a kind of CallFailed.
        """
        parameters = {name: value for name, value in query.items() if value is not None}
        encoded = urlencode(parameters, doseq=True)
        url = call.url(path) + (f"?{encoded}" if encoded else "")
        sent = {"Accept": "application/json", **headers, **trace_headers()}
        if (name := request_id.get()) is not None:
            sent["X-Request-ID"] = name
        kept = self._cache.get(view, url) if view is not None and call.is_safe else None
        if kept is not None:
            sent["If-None-Match"] = kept.etag
        deadline = seconds or self._policy.deadline
        try:
            async with asyncio.timeout(deadline):
                response, body = await self._try(call, url, sent, content)
        except TimeoutError:
            raise CalleeUnavailable(call, f"no answer within {deadline:g} seconds.") from None
        if response.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return _read(call, kept.content)
        if not response.is_success:
            if view is not None:
                self._cache.drop(view, url)
            raise _failure(call, response, body)
        self._keep(call, view, url, response, body)
        return _read(call, body)

    async def _try(
        self, call: Call[Any], url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[httpx.Response, bytes]:
        """The first answer that isn't worth another try, or the last one."""
        tries = self._policy.tries if call.is_safe else 1
        for number in range(1, tries + 1):
            is_last = number == tries
            try:
                response, body = await self._once(call, url, headers, content)
            except httpx.TransportError as error:
                if is_last:
                    log.warning(
                        "a call failed", callee=call.callee, operation=call.operation, error=type(error).__name__
                    )
                    raise CalleeUnavailable(call, "it can't be reached.") from error
                await asyncio.sleep(self._policy.pause(number))
                continue
            if response.status_code not in RETRIED or is_last:
                return response, body
            wanted = retry_after(response.headers.get("Retry-After"))
            if wanted is not None and wanted > self._policy.longest_pause:
                # Longer than a caller can be kept waiting: it is told, with the same Retry-After.
                return response, body
            await asyncio.sleep(max(wanted or 0.0, self._policy.pause(number)))
        raise AssertionError("the last try returns or raises")

    async def _once(
        self, call: Call[Any], url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[httpx.Response, bytes]:
        client = self._client(call.callee)
        async with client.stream(call.method, url, headers=dict(headers), content=content) as response:
            body = b""
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise CalleeAnswerUnreadable(call, "the answer is too large.", callee_status=response.status_code)
        return response, body

    def _client(self, callee: str) -> httpx.AsyncClient:
        client = self._clients.get(callee)
        if client is None:
            address: Address = address_of(callee, self._settings.upstreams, self._settings.public_url)
            transport = address.transport() if self._transports is None else self._transports(callee)
            # The deadline of the whole call bounds reading; a long poll may be silent for long.
            timeout = httpx.Timeout(None, connect=self._policy.connect)
            client = httpx.AsyncClient(
                transport=transport, base_url=address.base_url, timeout=timeout, follow_redirects=False
            )
            self._clients[callee] = client
        return client

    def _keep(self, call: Call[Any], view: str | None, url: str, response: httpx.Response, body: bytes) -> None:
        etag = response.headers.get("ETag")
        if view is None or not call.is_safe or etag is None:
            return
        if "no-store" not in response.headers.get("Cache-Control", ""):
            self._cache.put(view, url, Kept(etag, body))

    async def _fetch_token(self, trust_id: UUID | None) -> TokenAnswer:
        """A token of the service's own client: of one trust, or without a trust the one that follows."""
        settings = self._settings
        secret: SecretStr | None = settings.service_client_secret
        if not settings.service_client_id or secret is None:
            names = f"TRELLIS_{settings.service.upper()}_SERVICE_CLIENT_ID and _SECRET"
            raise CalleeUnauthorized(TOKEN, f"{settings.service} has no client of its own: set {names}.")
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.service_client_id,
            "client_secret": secret.get_secret_value(),
            "role": "service-reader" if trust_id is not None else "follower",
            **({"trust": str(trust_id)} if trust_id is not None else {}),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.exchange(TOKEN, content=urlencode(form).encode(), headers=headers, view=None)


class CallsOfCaller:
    """Calls with the token of the caller whose request is served."""

    def __init__(self, calls: Calls, authorization: str, view: str, passed_on: Mapping[str, str]) -> None:
        self._calls = calls
        self._headers = {**passed_on, "Authorization": authorization}
        self._view = view

    async def send(
        self,
        call: Call[Answer],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Query = _NOTHING,
        body: BaseModel | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The answer of the callee to this caller. Raises a kind of CallFailed."""
        headers, content = _with_body(self._headers, body)
        return await self._calls.exchange(
            call, path=path, query=query, content=content, headers=headers, view=self._view, seconds=seconds
        )


class CallsOfService:
    """Calls that read, with a token of the service's own."""

    def __init__(self, calls: Calls, tokens: ServiceTokens, trust_id: UUID | None) -> None:
        self._calls = calls
        self._tokens = tokens
        self._trust_id = trust_id
        self._view = f"service {trust_id}"

    async def send(
        self,
        call: Call[Answer],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Query = _NOTHING,
        seconds: float | None = None,
    ) -> Answer:
        """The answer of the callee. Raises a kind of CallFailed, and ValueError for a call that isn't safe."""
        if not call.is_safe:
            raise ValueError(f"a service by itself only reads: {call.callee} {call.operation}")
        token = await self._tokens.token(self._trust_id)
        try:
            return await self._send(call, token, path, query, seconds)
        except CalleeUnauthorized:
            # Its key may have been revoked since: once more with a new one.
            self._tokens.forget(self._trust_id, token)
            return await self._send(call, await self._tokens.token(self._trust_id), path, query, seconds)

    async def _send(
        self, call: Call[Answer], token: str, path: Mapping[str, object], query: Query, seconds: float | None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        return await self._calls.exchange(
            call, path=path, query=query, headers=headers, view=self._view, seconds=seconds
        )


def view_of(caller: Caller) -> str:
    """What two callers must have in common to be shown the same: a hash of everything in the token that counts."""
    facts = [
        caller.subject,
        str(caller.trust_id),
        sorted(caller.scopes),
        sorted(caller.roles),
        None if caller.academies is None else sorted(caller.academies),
        sorted(caller.leads),
        sorted(map(str, caller.projects)),
    ]
    return hashlib.sha256(orjson.dumps(facts)).hexdigest()


def _with_body(headers: Mapping[str, str], body: BaseModel | None) -> tuple[dict[str, str], bytes | None]:
    if body is None:
        return dict(headers), None
    return {**headers, "Content-Type": "application/json"}, body.model_dump_json().encode()


def _read(call: Call[Answer], body: bytes) -> Answer:
    try:
        return call.answer.model_validate_json(body)
    except ValidationError as error:
        places = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
        log.warning("an answer can't be read", callee=call.callee, operation=call.operation, places=places)
        raise CalleeAnswerUnreadable(call, f"the answer isn't a {call.answer.__name__}.", callee_status=200) from None


def _failure(call: Call[Any], response: httpx.Response, body: bytes) -> CallFailed:
    """What an answer that isn't a success means to us; problem details and errors of OAuth are read."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = {}
    told = document if isinstance(document, dict) else {}
    code = told.get("code") or told.get("error")
    detail = told.get("detail") or told.get("error_description") or told.get("title")
    headers = {}
    if (pause := response.headers.get("Retry-After")) is not None:
        headers["Retry-After"] = pause
    status = response.status_code
    return kind_of(status)(
        call,
        str(detail)[:300] if detail else f"it answers {status}.",
        callee_status=status,
        callee_code=str(code)[:100] if code else None,
        headers=headers,
    )
