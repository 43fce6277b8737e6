"""A small load generator for loopback: keep-alive connections that each ask, read the whole answer, and ask again.

One request is sent as the same bytes over and over, but for a number in its path; every answer's status is checked and
its body counted. It runs in a process of its own, bounded in time, so that it takes as little of the two cores as it
can.
"""

import argparse
import asyncio
import itertools
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LOOPBACK = ("127.0.0.1", "::1")
LONGEST_SECONDS = 60.0
NUMBER = b"{number}"
"""What stands in a path for six digits that are different each time, so that no answer is given twice."""

_NUMBERS = itertools.count()


@dataclass
class Loaded:
    """What one run saw: answers a second, and how long they took."""

    requests: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    refused: int = 0
    wrong: int = 0
    first_wrong: str = ""
    bytes_read: int = 0
    times: list[float] = field(default_factory=list)


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it was answered."""

    def __init__(self, request: bytes, status: int, loaded: Loaded, until: float, refusals: Sequence[int] = ()) -> None:
        """Expect `status` each time, or one of `refusals`, until the loop's clock says `until`."""
        self._request = request
        self._is_numbered = NUMBER in request
        self._refusals = tuple(f"HTTP/1.1 {one}".encode() for one in refusals)
        self._is_refused = False
        self._status = f"HTTP/1.1 {status}".encode()
        self._bodiless = status in (204, 304)
        self._loaded = loaded
        self._until = until
        self._buffer = bytearray()
        self._needed = -1
        self._asked_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        # uvloop's transport is none of asyncio's classes, so that it can't be asked for its kind.
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        request = self._request
        if self._is_numbered:
            request = request.replace(NUMBER, b"%06d" % next(_NUMBERS))
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take in a part of the answer; when it is whole, count it and ask again."""
        self._buffer += data
        if self._needed < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._buffer[:end])
            length = _LENGTH.search(head)
            self._needed = end + 4 + (int(length.group(1)) if length and not self._bodiless else 0)
            self._is_refused = bool(self._refusals) and head.startswith(self._refusals)
            if not (self._is_refused or head.startswith(self._status)) or (length is None and not self._bodiless):
                self._loaded.wrong += 1
                self._loaded.first_wrong = self._loaded.first_wrong or head[:400].decode("latin-1")
        if len(self._buffer) < self._needed:
            return
        now = time.perf_counter()
        if self._is_refused:
            self._loaded.refused += 1
        else:
            self._loaded.times.append(now - self._asked_at)
        self._loaded.bytes_read += self._needed
        del self._buffer[: self._needed]
        self._needed = -1
        if now >= self._until or self._loaded.wrong > 100:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over; a fault is kept as one wrong answer."""
        if exc is not None:
            self._loaded.wrong += 1
            self._loaded.first_wrong = self._loaded.first_wrong or repr(exc)
        if not self.done.done():
            self.done.set_result(None)


async def load(
    host: str,
    port: int,
    request: bytes,
    *,
    status: int,
    seconds: float,
    connections: int,
    refusals: Sequence[int] = (),
) -> Loaded:
    """Ask over `connections` connections for `seconds`; only loopback, and at most a minute.

    Raises ValueError for any other target or a longer time.
    """
    if host not in LOOPBACK or seconds > LONGEST_SECONDS:
        raise ValueError("only loopback, and at most a minute")
    loop = asyncio.get_running_loop()
    loaded = Loaded()
    started = time.perf_counter()
    until = started + seconds
    askers = [
        (await loop.create_connection(lambda: Asker(request, status, loaded, until, refusals), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(asker.done for asker in askers)), seconds + 20)
    loaded.seconds = time.perf_counter() - started
    loaded.requests = len(loaded.times)
    loaded.rate = loaded.requests / loaded.seconds
    ordered = sorted(loaded.times)
    if not ordered:
        return loaded
    loaded.p50_ms = 1000 * ordered[len(ordered) // 2]
    loaded.p99_ms = 1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    loaded.times = []
    return loaded


def request_bytes(host: str, port: int, path: str, headers: dict[str, str]) -> bytes:
    """A GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def main() -> int:
    """Read what to do from standard input as JSON; print what was seen as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    job = json.load(sys.stdin)
    request = request_bytes(job["host"], job["port"], job["path"], job["headers"])
    loaded = uvloop.run(
        load(
            job["host"],
            job["port"],
            request,
            status=job["status"],
            seconds=job["seconds"],
            connections=job["connections"],
            refusals=job["refusals"],
        )
    )
    json.dump(asdict(loaded), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
