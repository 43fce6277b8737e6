"""Answers that are given again as long as nothing at all was committed: no query, no rule, no staleness.

`GET` operations with `openapi_extra=KEPT` say nothing but what follows from the database and the present minute. Their
finished answers are kept in memory with the snapshot of the database from before they were made. A snapshot names every
transaction that has ended: while it stays the same, the same request would be answered with the same bytes. It is
compared for each request, by one small query that all requests of a moment share, so that a reader sees whatever was
committed before its request came. The token, its scopes and the query were checked before.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final

from starlette.types import Message, Scope, Send

from kit import clock
from kit.database.sessions import Database
from kit.etags import matches
from kit.web.exchange import exchange_of
from kit.web.request_keys import request_key
from kit.web.tags import ABOUT_THE_BODY

MARK: Final = "x-kept"
KEPT: Final = {MARK: True}
"""The `openapi_extra` of an operation whose answers may be kept."""

MOST_BYTES: Final = 48 * 1024 * 1024
LARGEST_ANSWER_BYTES: Final = 512 * 1024
# What an answer takes beside its body and the text of its headers: its key and its place in the table.
BYTES_BESIDE: Final = 1024
# Most requests come once: only what comes a second time is kept.
MOST_SEEN: Final = 8192

Headers = list[tuple[bytes, bytes]]
# A digest: it takes the same room however long the query and `Accept` are.
Key = bytes


@dataclass(frozen=True, slots=True)
class Version:
    """What an answer follows from."""

    snapshot: str
    minute: datetime


@dataclass(frozen=True, slots=True)
class _Answer:
    version: Version
    headers: Headers
    body: bytes
    etag: str | None

    @property
    def size(self) -> int:
        """How many bytes of memory it is counted with."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + BYTES_BESIDE


def known_to(scope: Scope) -> str:
    """The tags of the versions that a reader has; empty for one that has none."""
    return b",".join(value for name, value in scope["headers"] if name == b"if-none-match").decode("latin-1")


def _etag(headers: Headers) -> str | None:
    return next((value.decode("latin-1") for name, value in headers if name.lower() == b"etag"), None)


def _without_body(headers: Headers) -> Headers:
    return [one for one in headers if one[0].lower().decode("latin-1") not in ABOUT_THE_BODY]


class Unchanged:
    """Passes an answer on; to a reader who has this version, as a 304 without its body."""

    def __init__(self, known: str, send: Send) -> None:
        self._known = known
        self._send = send
        self._is_cut = False

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            etag = _etag(message["headers"]) if self._known and message["status"] == 200 else None
            if etag is not None and matches(self._known, etag):
                self._is_cut = True
                message = {**message, "status": 304, "headers": _without_body(message["headers"])}
        elif self._is_cut:
            message = {**message, "body": b""}
        await self._send(message)


@dataclass(slots=True)
class Making:
    """An answer on its way out, of which a copy is held back."""

    key: Key
    version: Version
    send: Send
    on_whole: Callable[["Making"], None]
    status: int = 0
    headers: Headers = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            part = message.get("body", b"")
            self.size += len(part)
            if self.size <= LARGEST_ANSWER_BYTES and not self.ended.is_set():
                self.parts.append(part)
            if not message.get("more_body", False):
                # Before it is sent: a slow reader keeps nobody else waiting.
                self.on_whole(self)
        await self.send(message)


class KeptAnswers:
    """The kept answers of one process."""

    def __init__(self) -> None:
        self.given = 0
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._making: dict[tuple[Key, Version], Making] = {}
        self._seen: OrderedDict[Key, None] = OrderedDict()
        self._bytes = 0
        self._newest: Version | None = None

    @staticmethod
    def key(scope: Scope) -> Key | None:
        """What an answer is kept under: the token, path, query, `Accept` and what else its operation reads."""
        operation = exchange_of(scope).operation
        read = {b"accept", *(operation.headers if operation is not None else ())} - {b"if-none-match"}
        named = dict(scope["headers"])
        authorization = named.get(b"authorization")
        if authorization is None:
            return None
        said = sorted((name, value) for name, value in scope["headers"] if name in read)
        return request_key((authorization, scope["path"].encode(), scope["query_string"], *chain.from_iterable(said)))

    @staticmethod
    async def version(database: Database) -> Version | None:
        """What holds at the moment; None when it can't be known."""
        snapshot = await database.snapshots.current()
        return None if snapshot is None else Version(snapshot, clock.now().replace(second=0, microsecond=0))

    def is_wanted(self, key: Key) -> bool:
        """Did the same request come before? Notes that it has come now."""
        if key in self._seen:
            self._seen.move_to_end(key)
            return True
        self._seen[key] = None
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return False

    async def give(self, key: Key, version: Version, scope: Scope, send: Send) -> bool:
        """Give the kept answer, or the 304 of a reader who has it; False when there is none that holds."""
        kept = self._answers.get(key)
        if kept is None:
            return False
        if kept.version != version:
            self._drop(key)
            return False
        self._answers.move_to_end(key)
        self.given += 1
        known = known_to(scope)
        unchanged = bool(known) and kept.etag is not None and matches(known, kept.etag)
        headers, body = (_without_body(kept.headers), b"") if unchanged else (kept.headers, kept.body)
        await send({"type": "http.response.start", "status": 304 if unchanged else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return True

    async def made_by_another(self, key: Key, version: Version) -> None:
        """Wait while another request makes the same answer."""
        making = self._making.get((key, version))
        if making is not None:
            await making.ended.wait()

    @contextlib.contextmanager
    def making(self, key: Key, version: Version, scope: Scope, send: Send) -> Iterator[Making]:
        """Make an answer and keep a copy; who asks for the same meanwhile waits for it."""

        def whole(made: Making) -> None:
            if exchange_of(scope).may_be_kept:
                self._keep(made)
            made.ended.set()

        making = self._making[key, version] = Making(key, version, send, whole)
        exchange_of(scope).release = making.ended.set
        try:
            yield making
        finally:
            making.ended.set()
            if self._making.get((key, version)) is making:
                del self._making[key, version]

    def _keep(self, made: Making) -> None:
        if made.status != 200 or made.size > LARGEST_ANSWER_BYTES:
            return
        if made.version != self._newest:
            # No version comes again: what was kept of another is never given.
            self._answers.clear()
            self._newest, self._bytes = made.version, 0
        self._drop(made.key)
        answer = _Answer(made.version, made.headers, b"".join(made.parts), _etag(made.headers))
        while self._answers and self._bytes + answer.size > MOST_BYTES:
            self._drop(next(iter(self._answers)))
        self._answers[made.key] = answer
        self._bytes += answer.size

    def _drop(self, key: Key) -> None:
        with contextlib.suppress(KeyError):
            self._bytes -= self._answers.pop(key).size
