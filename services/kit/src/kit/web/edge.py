"""What every request meets first and last: its id, the prepared answers, the log line and the numbers.

One plain ASGI layer, since a stack of them costs more than most answers.
"""

import asyncio
import contextlib
import re
import time

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import clock, cursors
from kit.ids import uuid7
from kit.problems import InternalError, Problem
from kit.settings import ServiceSettings
from kit.telemetry.logs import logger, request_id, write_line
from kit.telemetry.metrics import NO_ROUTE, Metrics
from kit.telemetry.tracing import Tracing
from kit.web.admission import Admission
from kit.web.answers import problem_of, problem_response
from kit.web.capacity import Capacity, whose
from kit.web.exchange import Exchange, exchange_of
from kit.web.kept import KeptAnswers, Unchanged, known_to
from kit.web.operations import Operations, PathOperations
from kit.web.prepared import Finished, Headers, PolledRequest, PreparedResponses
from kit.web.tools import tools_of

# How the log calls a request whose caller went away.
CLOSED = 499
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{8,128}")
_CACHE = (b"cache-control", b"private, no-cache")

log = logger(__name__)


def _sender_of(scope: Scope) -> bytes:
    """Who it says that it is: enough to know a flood by, and by nothing else."""
    return next((value for name, value in scope["headers"] if name == b"authorization"), b"")


def _with_cache(headers: Headers) -> Headers:
    """What is read may be kept by the reader alone, and is checked again each time."""
    return headers if any(name == b"cache-control" for name, _ in headers) else [*headers, _CACHE]


class _Answering:
    """Passes an answer on with what every answer has, and without a body for HEAD."""

    __slots__ = ("_exchange", "_extra", "_method", "_send", "headed", "status")

    def __init__(self, send: Send, extra: Headers, method: str, exchange: Exchange) -> None:
        self._send = send
        self._exchange = exchange
        self._extra = extra
        self._method = method
        self.status: int | None = None
        # Set when a HEAD is answered while its body would go on.
        self.headed = asyncio.Event()

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # From here on only the network and the reader decide how long it takes.
            self._exchange.leave()
            headers = [*message["headers"], *self._extra]
            if self._method in {"GET", "HEAD"}:
                headers = _with_cache(headers)
            await self._send({**message, "headers": headers})
        elif self._method != "HEAD":
            await self._send(message)
        else:
            await self._send({"type": "http.response.body", "body": b""})
            if message.get("more_body", False):
                self.headed.set()
                # Until it is cancelled: there may be no end to the body.
                await asyncio.Event().wait()


class _Collecting:
    """Holds an answer back until it is whole."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self._messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        """Hold one message back."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        self._messages.append(message)

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(message.get("body", b"") for message in self._messages)

    async def pass_on(self, send: Send) -> None:
        """Send what was held back."""
        for message in self._messages:
            await send(message)


class Edge:
    """The outermost layer of a service."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        operations: Operations,
        admission: Admission,
        prepared: PreparedResponses,
        metrics: Metrics,
        capacity: Capacity,
        kept: KeptAnswers,
    ) -> None:
        self._app = app
        self._capacity = capacity
        self._kept = kept
        self._settings = settings
        self._operations = operations
        self._admission = admission
        self._prepared = prepared
        self._metrics = metrics
        self._cursor_keys = cursors.derive_keys(settings.key_ring)
        self._logs_requests = settings.log_level in {"DEBUG", "INFO"}
        # Set when the service starts, if traces are exported.
        self.tracing: Tracing | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        name = given if _GIVEN_ID.fullmatch(given) else uuid7().hex.encode()
        exchange = exchange_of(scope)
        exchange.request_id = name.decode()
        extra: Headers = [(b"x-request-id", name)]
        began = self._metrics.begin()
        method, route, status = scope["method"], NO_ROUTE, None
        try:
            polled = self._prepared.polled_request(scope)
            if polled is not None:
                status = await self._prepared.answer(polled, scope, send, extra)
                if status is not None:
                    route = scope["path"]
                    return
            request_id.set(exchange.request_id)
            cursors.use_keys(self._cursor_keys)
            path = self._operations.find(scope["path"])
            route = path.template if path is not None else NO_ROUTE
            answering = _Answering(send, extra, method, exchange)
            try:
                await self._traced(path, scope, receive, answering, polled)
            finally:
                status = answering.status
        finally:
            exchange.leave()
            for end in exchange.at_end:
                end()
            self._log_answer(began, method, route, status or CLOSED, scope)

    async def _traced(
        self,
        path: PathOperations | None,
        scope: Scope,
        receive: Receive,
        answering: _Answering,
        polled: PolledRequest | None,
    ) -> None:
        if self.tracing is None:
            await self._answer(path, scope, receive, answering, polled)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        route = path.template if path is not None else NO_ROUTE
        with self.tracing.request(scope["method"], route, headers) as span:
            try:
                await self._answer(path, scope, receive, answering, polled)
            finally:
                span.answered(answering.status or CLOSED)

    async def _answer(
        self,
        path: PathOperations | None,
        scope: Scope,
        receive: Receive,
        answering: _Answering,
        polled: PolledRequest | None,
    ) -> None:
        try:
            if scope["method"] == "OPTIONS" and path is not None and "OPTIONS" not in path.by_method:
                await Response(status_code=204, headers={"Allow": path.allow})(scope, receive, answering)
                return
            self._capacity.refuse_flood(_sender_of(scope))
            receive = await self._admission.admit(path, scope, receive)
            # From here on it waits for us: for its turn, or for another that makes the same answer.
            exchange_of(scope).admitted_at = time.monotonic()
            is_head = scope["method"] == "HEAD"
            if is_head:
                # A scope of its own: the server looks at its own again, to know that no body follows.
                scope = {**scope, "method": "GET"}
            if polled is not None:
                await self._make(polled, scope, receive, answering)
                return
            if not is_head and await self._from_memory(scope, receive, answering):
                return
            await self._await_turn(scope)
            if is_head:
                await self._head(scope, receive, answering)
            else:
                await self._app(scope, receive, answering)
        except Problem as problem:
            await problem_response(problem, scope)(scope, receive, answering)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last place that can still answer
            await self._fault(error, scope, receive, answering)

    async def _from_memory(self, scope: Scope, receive: Receive, answering: _Answering) -> bool:
        """Answer with a kept answer, or make one that is kept; False where the operation has none."""
        operation = exchange_of(scope).operation
        if operation is None or not operation.is_kept or exchange_of(scope).query_errors:
            return False
        key = self._kept.key(scope)
        if key is None or not self._kept.is_wanted(key):
            return False
        version = await self._kept.version(tools_of(scope["app"]).database)
        if version is None:
            return False
        await self._kept.made_by_another(key, version)
        if await self._kept.give(key, version, scope, answering):
            return True
        # Made whole, also for a reader who has this version: its 304 is cut from it.
        whole = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"if-none-match"]}
        with self._kept.making(key, version, scope, Unchanged(known_to(scope), answering)) as making:
            await self._await_turn(scope)
            await self._app(whole, receive, making)
        return True

    async def _await_turn(self, scope: Scope) -> None:
        """Wait until this request may run. Raises Overloaded or TooManyAtOnce.

        A body that comes as a stream takes as long as its sender needs. Requests without a token (sign-in, shared
        links, keys, health) have limits of their own: strangers share no turns with each other or with callers.
        """
        exchange = exchange_of(scope)
        assert exchange.operation is not None
        if exchange.caller is not None and not exchange.operation.is_streamed:
            exchange.leave = await self._capacity.enter(
                whose(exchange.caller), since=exchange.admitted_at, sender=_sender_of(scope)
            )

    async def _head(self, scope: Scope, receive: Receive, answering: _Answering) -> None:
        """Answer a HEAD as its GET, but no longer than it takes to know the headers."""
        running = asyncio.ensure_future(self._app(scope, receive, answering))
        headed = asyncio.ensure_future(answering.headed.wait())
        try:
            await asyncio.wait({running, headed}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            headed.cancel()
            if not running.done():
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    async def _make(self, polled: PolledRequest, scope: Scope, receive: Receive, answering: _Answering) -> None:
        """Make an answer that is kept for the next reader; one reader makes it while the others wait."""
        # Made whole, also for a reader who has this version: its 304 is cut from it.
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"if-none-match"]
        async with self._prepared.turn(polled):
            if await self._prepared.answer(polled, scope, answering, []) is not None:
                return
            caller = exchange_of(scope).caller
            assert caller is not None
            await self._prepared.watch(polled, caller)
            made = _Collecting()
            await self._await_turn(scope)
            await self._app(scope, receive, made)
            exchange_of(scope).leave()
            finished: Finished | None = None
            if made.status == 200:
                finished = self._prepared.finish(polled, caller, _with_cache(made.headers), made.body)
        if finished is None:
            await made.pass_on(answering)
        else:
            await self._prepared.give(polled, finished, scope, answering, [])

    async def _fault(self, error: Exception, scope: Scope, receive: Receive, answering: _Answering) -> None:
        """A fault of ours, or an outage in the middle of an answer."""
        log.error("a request failed", exc_info=error)
        if answering.status is None:
            problem = problem_of(error) or InternalError("This is a fault of ours; it was logged.")
            await problem_response(problem, scope)(scope, receive, answering)
        if self._settings.env == "test":
            # So that no test passes over it.
            raise error

    def _log_answer(self, began: float, method: str, route: str, status: int, scope: Scope) -> None:
        seconds = self._metrics.end(began, method, route, status)
        exchange = exchange_of(scope)
        code, caller = exchange.problem_code, exchange.caller
        if code is not None:
            self._metrics.problem(route, code)
        # Probes ask every few seconds, and whoever runs them keeps what they saw.
        if status < 500 and (not self._logs_requests or route in PROBES):
            return
        write_line(
            {
                "event": "request",
                "level": "error" if status >= 500 else "info",
                "at": clock.now(),
                "service": self._settings.service,
                "request_id": exchange.request_id,
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
                **({"code": code} if code is not None else {}),
                **({"client_id": caller.client_id} if caller is not None else {}),
            }
        )
