"""Work of a job in a thread, which nobody can end from outside: it is known as long as it goes on."""

import asyncio
import contextvars
from collections.abc import Callable
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

PATIENCE_SECONDS: Final = 10.0
"""A thread looks now and then whether it is still wanted; so long its job waits for it."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_left: dict[asyncio.Future[Any], float] = {}


async def in_thread(
    function: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """What the function gives, run in a thread as `asyncio.to_thread` does.

    When the job is cancelled meanwhile, it waits some seconds for the thread. `longest_left` knows those that go on.
    """
    loop = asyncio.get_running_loop()
    context = contextvars.copy_context()
    work = loop.run_in_executor(None, partial(context.run, partial(function, *arguments, **named)))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({work}, timeout=PATIENCE_SECONDS)
        finally:
            # Also when it is cancelled once more while it waits.
            if not work.done():
                _left[work] = loop.time()
            work.add_done_callback(_forget)
        raise


def _forget(work: asyncio.Future[Any]) -> None:
    _left.pop(work, None)
    # Nobody waits for what it raises.
    if not work.cancelled():
        work.exception()


def longest_left() -> float:
    """How many seconds a thread has gone on after its job ended; 0 when none does."""
    loop = asyncio.get_running_loop()
    return max((loop.time() - since for work, since in _left.items() if work.get_loop() is loop), default=0.0)
