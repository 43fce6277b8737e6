"""Ending in good order: waiting requests (long polls, event streams) end as soon as the process gets a signal to stop.

The server itself ends only when every connection is closed, and its own shutdown hook comes after
that: a stream that goes on would hold the process until it is killed.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Closing:
    """Whether this process was asked to stop."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Was it asked to stop?"""
        return self._asked.is_set()

    def begin(self) -> None:
        """Tell everybody who waits."""
        if self._asked.is_set():
            return
        self._asked.set()
        for callback in self._callbacks:
            callback()

    def on_begin(self, callback: Callable[[], None]) -> None:
        """Call this when the process is asked to stop."""
        self._callbacks.append(callback)

    async def sleep(self, seconds: float) -> bool:
        """Sleep, at most until it is asked to stop; True when it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        return True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Begin on the signals that stop a server, and pass them on to whoever handled them before."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before: dict[signal.Signals, Any] = {}

        def on_signal(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.begin)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for one in SIGNALS:
            # Only beside a server that handles it itself: the default, to end at once, stays the default.
            handler = signal.getsignal(one)
            if callable(handler) and handler is not signal.default_int_handler:
                before[one] = handler
                signal.signal(one, on_signal)
        try:
            yield
        finally:
            for one, handler in before.items():
                if signal.getsignal(one) is on_signal:
                    signal.signal(one, handler)
