"""Long computations of requests, a few milliseconds at a time: meanwhile the event loop answers others.

In a process one computation goes on at a time; those that wait take turns, so that many of them delay a request no more
than one does. What a thread computes would hold the interpreter for as long, and the way there and back is dear.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

STEP_SECONDS: Final = 0.004
"""So long nobody else runs."""

Made = TypeVar("Made")

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def in_steps(making: Iterable[Made]) -> list[Made]:
    """All that the iterable gives, in its order. Each thing should cost well below a step: make it lazily."""
    turn = _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    made: list[Made] = []
    left = iter(making)
    while True:
        async with turn:
            until = time.perf_counter() + STEP_SECONDS
            for one in left:
                made.append(one)
                if time.perf_counter() >= until:
                    break
            else:
                return made
            # Whatever else is ready runs once before anybody's next step.
            await asyncio.sleep(0)
