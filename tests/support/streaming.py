"""Answers that never end, read as they come: httpx without a network gives them out only when they are complete."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message, Scope


class Streamed:
    """An answer that is still being given."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_over = False
        self._received = ""
        self.started = asyncio.Event()
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def take(self, message: Message) -> None:
        """One message of the app."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            self.started.set()
        elif message["type"] == "http.response.body":
            self._parts.put_nowait(message.get("body", b""))
            if not message.get("more_body"):
                self._parts.put_nowait(None)

    async def block(self, seconds: float = 5) -> dict[str, str]:
        """The next block of a stream of server-sent events; a comment is under "". Raises EOFError at the end."""
        async with asyncio.timeout(seconds):
            while "\n\n" not in self._received:
                part = await self._parts.get()
                if part is None:
                    self.is_over = True
                    raise EOFError
                self._received += part.decode()
        block, _, self._received = self._received.partition("\n\n")
        fields = (line.partition(": ") for line in block.split("\n"))
        return {name.removeprefix(":"): value for name, _, value in fields}

    async def event(self, seconds: float = 5) -> tuple[str, dict[str, Any]]:
        """The next event with its id, past comments."""
        while True:
            block = await self.block(seconds)
            if "data" in block:
                data: dict[str, Any] = orjson.loads(block["data"])
                return block["id"], data

    async def end(self, seconds: float = 5) -> None:
        """Read until the answer is over. Raises TimeoutError when it isn't in time."""
        async with asyncio.timeout(seconds):
            while not self.is_over:
                with suppress(EOFError):
                    await self.block(seconds)


@asynccontextmanager
async def streamed(app: ASGIApp, url: str, headers: Mapping[str, str]) -> AsyncIterator[Streamed]:
    """Ask and read while it is being answered; leaving the block hangs up."""
    parts = urlsplit(url)
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    answer = Streamed()
    asked = False

    async def receive() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def run() -> None:
        try:
            await app(scope, receive, answer.take)
        finally:
            answer.started.set()

    task = asyncio.create_task(run())
    try:
        async with asyncio.timeout(10):
            await answer.started.wait()
        yield answer
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
