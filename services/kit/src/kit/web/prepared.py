"""Finished answers for reads that thousands poll: given out of memory before anything is routed.

An answer is kept per token, path, query and `Accept`, with the version of what it was made from. The
version is checked again at most every half second, in the background while readers are served, so
that an answer is right again within a second of a change, whichever process made it. The token is
checked again every few seconds and its expiry on every answer.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope, Send

from kit import clock
from kit.database.outages import DRIVER_ERRORS
from kit.database.sessions import Context
from kit.etags import matches
from kit.identity.callers import Authenticator, Caller
from kit.problems import Problem
from kit.telemetry.logs import logger
from kit.web.request_keys import request_key
from kit.web.tags import ABOUT_THE_BODY

Headers = list[tuple[bytes, bytes]]
# A digest of the token, path, query and `Accept`.
Key = bytes
# Gives a word that changes whenever an answer to this caller would.
Version = Callable[[Context], Awaitable[str]]

# How long ago a version may have been checked; from half of it on it is checked again meanwhile.
OLDEST_SECONDS = 0.8
KEPT_SECONDS = 60.0
# A revoked key is refused within a minute: half of it goes to the key set's own age.
TOKEN_CHECK_SECONDS = 5.0
MOST_ANSWERS = 4096
MOST_BYTES = 64 * 1024 * 1024
LARGEST_ANSWER_BYTES = 1024 * 1024

# Who asks for versions, for the database's own records.
SUBJECT = "prepared-answers"

log = logger(__name__)


@dataclass(slots=True)
class _Watched:
    """The version of what one context sees of one path, and when it was last checked."""

    version: Version
    context: Context
    value: str | None = None
    asked_at: float = float("-inf")
    asking: asyncio.Task[None] | None = None
    # Raised by `forget`: an answer that was requested before doesn't count.
    generation: int = 0

    async def current(self, *, oldest: float) -> str | None:
        """The version, checked at most `oldest` seconds ago; None when it can't be known."""
        age = time.monotonic() - self.asked_at
        if age >= oldest / 2:
            if self.asking is None:
                self.asking = asyncio.create_task(self._ask(), name="version of prepared answers")
                self.asking.add_done_callback(_looked_at)
            if age >= oldest:
                # Not cancelled with the request that happens to wait: others do too.
                await asyncio.shield(self.asking)
                if time.monotonic() - self.asked_at >= OLDEST_SECONDS:
                    return None
        return self.value

    async def _ask(self) -> None:
        generation, began = self.generation, time.monotonic()
        try:
            value = await self.version(self.context)
        except (
            Problem,
            SQLAlchemyError,
            *DRIVER_ERRORS,
            OSError,
        ) as error:
            log.warning("the version of prepared answers can't be read", exc_info=error)
            return
        finally:
            if self.asking is asyncio.current_task():
                self.asking = None
        if generation == self.generation:
            self.value, self.asked_at = value, began

    def forget(self) -> None:
        """What was known may no longer hold."""
        self.generation += 1
        self.asked_at = float("-inf")
        self.asking = None


def _looked_at(asking: asyncio.Task[None]) -> None:
    """Whoever waits gets its fault; where nobody does, it is told here."""
    if not asking.cancelled() and (fault := asking.exception()) is not None:
        log.error("the version of prepared answers can't be read", exc_info=fault)


@dataclass(slots=True)
class Finished:
    """An answer as it goes out, and how long it holds."""

    watched: _Watched
    version: str | None
    etag: str
    headers: Headers
    not_modified_headers: Headers
    body: bytes
    expires_at: float
    kept_until: float
    token_checked_at: float


@dataclass(slots=True)
class PolledRequest:
    """A request to a prepared path: the key of its answer, and its headers."""

    key: Key
    path: str
    authorization: bytes
    if_none_match: str | None
    # Read before the answer is made, so that a change in between is noticed.
    watched: _Watched | None = field(default=None)
    version: str | None = field(default=None)


class PreparedResponses:
    """The finished answers of one process."""

    def __init__(
        self, authenticator: Authenticator, counts: dict[str, int], *, oldest_seconds: float = OLDEST_SECONDS
    ) -> None:
        """With `oldest_seconds` 0 every answer is held against its version before it is given."""
        self._oldest = oldest_seconds
        self._authenticator = authenticator
        self._versions: dict[str, Version] = {}
        self._answers: dict[Key, Finished] = {}
        self._watched: dict[tuple[str, Context], _Watched] = {}
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self._counts = counts
        self._bytes = 0

    def route(self, path: str, *, version: Version) -> None:
        """Keep the answers of this GET.

        `version` gives, for a caller's trust and academies, a word that changes whenever the answer would.
        """
        self._versions[path] = version

    def forget(self, tenant_id: UUID) -> None:
        """Something of this tenant changed: its answers are held against the version before the next one is given."""
        for (_, context), watched in self._watched.items():
            if context.tenant_id == tenant_id:
                watched.forget()

    def polled_request(self, scope: Scope) -> PolledRequest | None:
        """How a request asks for a prepared path; None for every other request."""
        if scope["path"] not in self._versions or scope["method"] not in {"GET", "HEAD"}:
            return None
        authorization: bytes | None = None
        accept = b""
        if_none_match: str | None = None
        has_host = False
        for name, value in scope["headers"]:
            if name == b"host":
                if has_host or b"," in value:
                    return None
                has_host = True
            elif name == b"authorization":
                if authorization is not None:
                    return None
                authorization = value
            elif name == b"accept":
                accept += value + b","
            elif name == b"if-none-match":
                tags = value.decode("latin-1")
                if_none_match = tags if if_none_match is None else f"{if_none_match},{tags}"
        if authorization is None:
            return None
        path = scope["path"]
        key = request_key((authorization, path.encode(), scope["query_string"], accept))
        return PolledRequest(key, path, authorization, if_none_match)

    def turn(self, polled: PolledRequest) -> asyncio.Lock:
        """Held by the one who makes an answer while others wait for it."""
        return self._turns.setdefault(polled.key, asyncio.Lock())

    async def answer(self, polled: PolledRequest, scope: Scope, send: Send, extra: Headers) -> int | None:
        """Give the kept answer; its status, or None when there is none that still holds."""
        kept = self._answers.get(polled.key)
        if kept is None or not await self._holds(polled, kept):
            return None
        status = await self.give(polled, kept, scope, send, extra)
        self._counts["hit" if status == 200 else "not_modified"] += 1
        return status

    async def give(self, polled: PolledRequest, answer: Finished, scope: Scope, send: Send, extra: Headers) -> int:
        """Give an answer: whole, or 304 to a reader who has it. Gives the status."""
        unchanged = polled.if_none_match is not None and matches(polled.if_none_match, answer.etag)
        status = 304 if unchanged else 200
        headers = answer.not_modified_headers if unchanged else answer.headers
        await send({"type": "http.response.start", "status": status, "headers": headers + extra})
        body = b"" if unchanged or scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})
        return status

    async def _holds(self, polled: PolledRequest, kept: Finished) -> bool:
        now = time.monotonic()
        if now >= kept.kept_until or clock.machine_now().timestamp() >= kept.expires_at:
            self._drop(polled.key)
            return False
        if now - kept.token_checked_at >= TOKEN_CHECK_SECONDS:
            # Raises for a token that no longer counts; the request then takes the ordinary way and is refused there.
            try:
                await self._authenticator.authenticate([polled.authorization])
            except Problem:
                self._drop(polled.key)
                return False
            kept.token_checked_at = now
        if await kept.watched.current(oldest=self._oldest) != kept.version:
            self._drop(polled.key)
            return False
        return True

    async def watch(self, polled: PolledRequest, caller: Caller) -> None:
        """Note the version before an answer is made."""
        # Shared by all who see the same rows.
        context = Context(caller.tenant_id, caller.academies, SUBJECT)
        watched = self._watched.get((polled.path, context))
        if watched is None:
            watched = _Watched(self._versions[polled.path], context)
            self._watched[polled.path, context] = watched
        polled.watched = watched
        polled.version = await watched.current(oldest=self._oldest)

    def finish(self, polled: PolledRequest, caller: Caller, headers: Headers, body: bytes) -> Finished | None:
        """Keep an answer that was just made (status 200); gives it, or None when it has no `ETag`."""
        etag = next((value for name, value in headers if name.lower() == b"etag"), None)
        if polled.watched is None or etag is None:
            return None
        now = time.monotonic()
        answer = Finished(
            watched=polled.watched,
            version=polled.version,
            etag=etag.decode("latin-1"),
            headers=headers,
            not_modified_headers=[
                header for header in headers if header[0].lower().decode("latin-1") not in ABOUT_THE_BODY
            ],
            body=body,
            expires_at=caller.expires_at.timestamp(),
            kept_until=now + KEPT_SECONDS,
            token_checked_at=now,
        )
        if polled.version is not None and len(body) <= LARGEST_ANSWER_BYTES:
            self._drop(polled.key)
            while self._answers and (len(self._answers) >= MOST_ANSWERS or self._bytes + len(body) > MOST_BYTES):
                self._drop(next(iter(self._answers)))
            self._answers[polled.key] = answer
            self._bytes += len(body)
            self._counts["made"] += 1
        return answer

    def _drop(self, key: Key) -> None:
        dropped = self._answers.pop(key, None)
        if dropped is not None:
            self._bytes -= len(dropped.body)
        # Versions that nothing is kept for any more.
        if len(self._watched) > 2 * MOST_ANSWERS:
            used = {id(answer.watched) for answer in self._answers.values()}
            self._watched = {name: one for name, one in self._watched.items() if id(one) in used}
