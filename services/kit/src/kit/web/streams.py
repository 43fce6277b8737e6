"""The body of a request that isn't held in memory, piece by piece, from a sender who keeps sending."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from kit.problems import MalformedRequest

SLOWEST_BYTES_PER_SECOND: Final = 16 << 10
PAUSE_SECONDS: Final = 30.0
"""So long a sender may pause, or be behind the slowest speed."""


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes.

    What is half here takes space that others lack: a sender who is too slow is not waited for. Raises MalformedRequest,
    also when the sender goes away in the middle.
    """
    loop = asyncio.get_running_loop()
    body = request.stream()
    deadline = loop.time() + PAUSE_SECONDS
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                piece = await anext(body, None)
            if piece is None:
                return
            given_at = loop.time()
            yield piece
            now = loop.time()
            # The time that we take ourselves isn't theirs. Speed isn't saved up: who was fast pauses no longer.
            deadline += now - given_at + len(piece) / SLOWEST_BYTES_PER_SECOND
            deadline = min(now + PAUSE_SECONDS, deadline)
    except ClientDisconnect:
        raise MalformedRequest("The body was cut off.") from None
    except TimeoutError:
        raise MalformedRequest("The body came too slowly.") from None
