"""Waking other processes, after a commit, when there is something new: a hint that may be lost, never a message.

`NOTIFY` inside a business transaction makes all commits queue up behind one lock (12 times fewer transactions a
second); sent afterwards from a connection of its own, and once for many commits, it costs next to nothing.
Who waits must poll as well: a hint is lost when its process dies between commit and notice, or behind PgBouncer.

A hint has a channel and a payload, which says whom it concerns, such as the id of a trust. Who waits for one payload is
left alone by the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg

from kit.database.outages import DRIVER_ERRORS
from kit.telemetry.logs import logger

Connect = Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]

DEBOUNCE_SECONDS = 0.01
RECONNECT_SECONDS = 1.0

_NOTIFY = "select pg_notify(h.channel, h.payload) from unnest($1::text[], $2::text[]) as h (channel, payload)"

_LOST = (OSError, *DRIVER_ERRORS, asyncio.TimeoutError)

log = logger(__name__)


class Waiter:
    """One who waits on a channel."""

    def __init__(self, wakeups: "Wakeups") -> None:
        self.poked = asyncio.Event()
        self._wakeups = wakeups

    @property
    def hears(self) -> bool:
        """Do hints of other processes reach us at the moment?"""
        return self._wakeups.hears

    async def wait(self, seconds: float) -> bool:
        """True as soon as the channel was poked since the last wait; False after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self.poked.wait()
        except TimeoutError:
            return False
        self.poked.clear()
        return True


class Wakeups:
    """Hints between the processes of one service, by channel."""

    def __init__(self, connect: Connect, *, listens: bool = True) -> None:
        """Hints travel over connections made by `connect`, opened at first use.

        With `listens` false those of other processes aren't heard, and who waits looks more often.
        """
        self._connect = connect
        self._listens = listens
        self._closed = False
        # In order, and each only once.
        self._pending: dict[tuple[str, str], None] = {}
        self._sender: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._waiting: dict[str, dict[str | None, set[asyncio.Event]]] = defaultdict(dict)
        self._listening: set[str] = set()
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._out: asyncpg.Connection[asyncpg.Record] | None = None
        self._channels_changed = asyncio.Event()

    def poke(self, channel: str, payload: str = "") -> None:
        """Wake those who wait on `channel`, here and in other processes, within some milliseconds.

        With a payload only those who wait for this one or for all.
        """
        self._wake(channel, payload)
        if self._closed:
            return
        self._pending[channel, payload] = None
        if self._sender is None or self._sender.done():
            self._sender = asyncio.get_running_loop().create_task(self._send(), name="wakeups: send")

    @contextmanager
    def waiting(self, channel: str, payload: str | None = None) -> Iterator["Waiter"]:
        """Be woken by hints on `channel`, only by those with this payload unless it is None.

        Begin before looking, so that nothing slips in between.
        """
        waiter = Waiter(self)
        waiting = self._waiting[channel]
        waiting.setdefault(payload, set()).add(waiter.poked)
        if self._listens and not self._closed:
            self._listen(channel)
        try:
            yield waiter
        finally:
            waiting[payload].discard(waiter.poked)
            if not waiting[payload]:
                del waiting[payload]

    @property
    def hears(self) -> bool:
        """Do hints of other processes reach us at the moment?"""
        return self._connection is not None and not self._connection.is_closed()

    async def close(self) -> None:
        """Send what is pending and close the connections; from now on hints stay within this process."""
        self._closed = True
        if self._sender is not None:
            with suppress(asyncio.CancelledError):
                await self._sender
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
        for connection in (self._connection, self._out):
            if connection is not None:
                connection.terminate()
        self._sender = self._listener = self._connection = self._out = None
        self._listening.clear()

    def _wake(self, channel: str, payload: str = "") -> None:
        """Wake those who wait for this payload, or everybody on the channel when the hint has none."""
        waiting = self._waiting.get(channel, {})
        concerned = (waiting.get(payload, ()), waiting.get(None, ())) if payload else tuple(waiting.values())
        for events in concerned:
            for event in events:
                event.set()

    async def _send(self) -> None:
        while self._pending:
            # Commits of the next few milliseconds share this notice.
            await asyncio.sleep(DEBOUNCE_SECONDS)
            pending, self._pending = list(self._pending), {}
            try:
                if self._out is None or self._out.is_closed():
                    self._out = await self._connect()
                await self._out.execute(_NOTIFY, *map(list, zip(*pending, strict=True)))
            except _LOST as error:
                log.warning(
                    "a wake-up is lost",
                    channels=sorted({channel for channel, _ in pending}),
                    error=type(error).__name__,
                )
                if self._out is not None:
                    self._out.terminate()
                    self._out = None

    def _listen(self, channel: str) -> None:
        if channel not in self._listening:
            self._listening.add(channel)
            self._channels_changed.set()
        if self._listener is None or self._listener.done():
            self._listener = asyncio.get_running_loop().create_task(self._receive(), name="wakeups: receive")

    async def _receive(self) -> None:
        def noticed(_connection: Any, pid: int, channel: str, payload: object) -> None:
            # Of hints of our own everybody here has heard already.
            if self._out is None or self._out.is_closed() or pid != self._out.get_server_pid():
                self._wake(channel, str(payload))

        while True:
            try:
                connection = self._connection = await self._connect()
                gone = asyncio.Event()
                connection.add_termination_listener(lambda _connection, gone=gone: gone.set())
                heard: set[str] = set()
                while not gone.is_set():
                    self._channels_changed.clear()
                    for channel in self._listening - heard:
                        await connection.add_listener(channel, noticed)
                        heard.add(channel)
                        # Hints from before we listened are lost: let the reader look once more.
                        self._wake(channel)
                    await _first(gone, self._channels_changed)
            except _LOST as error:
                log.warning("no wake-ups are heard", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_SECONDS)


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
