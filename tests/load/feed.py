"""The change feed while large files are sent, and another trust's list beside many who wait for events."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from academy.definition import ACADEMY
from academy.imports.events import IMPORT_FINISHED, ImportFinished
from kit.database.sessions import Context, Database
from kit.events.recording import record_event
from kit.ids import uuid7
from tests.load.lists import OTHERS_LIST, REFUSALS
from tests.load.loads import request_bytes
from tests.load.pulls import GROUP_UID, TRUST, Row, load
from tests.support.stack import Stack

UPLOADS = 2
UPLOAD_BYTES = 150 << 20
WRITE_SECONDS = 0.2
LONGEST_SECONDS = 60.0
READERS_OF_TOKEN = 50
READERS = 500
IDLE = 1_000
"""As many requests of one trust as may wait at once."""

READING = "data-manager"
"""A role that sees the events."""

WAIT_SECONDS = 25
HOST = "127.0.0.1"


@dataclass
class Reader:
    """One connection that waits for events, and notes when each of them came."""

    port: int
    token: str
    came: dict[str, float] = field(default_factory=dict)
    placed: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Until it is cancelled."""
        incoming, outgoing = await asyncio.open_connection(HOST, self.port, limit=1 << 20)
        after, wait = "now", 0
        try:
            while True:
                path = f"/academy/v1/events?wait={wait}&after={after}"
                outgoing.write(request_bytes(HOST, self.port, path, {"Authorization": f"Bearer {self.token}"}))
                head = (await incoming.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.partition("content-length:")[2].partition("\r\n")[0])
                page = json.loads(await incoming.readexactly(length))
                if not head.startswith("http/1.1 200"):
                    await asyncio.sleep(1)
                    continue
                after, wait = page["next"], WAIT_SECONDS
                self.placed.set()
                for event in page["items"]:
                    self.came[event["subject"]] = time.perf_counter()
        finally:
            outgoing.close()


@asynccontextmanager
async def following(readers: Sequence[Reader]) -> AsyncIterator[None]:
    """Inside the block these wait for events."""
    tasks = [asyncio.create_task(reader.follow()) for reader in readers]
    try:
        # What comes before all of them wait is a burst of requests.
        await asyncio.wait_for(asyncio.gather(*(reader.placed.wait() for reader in readers)), LONGEST_SECONDS)
        await asyncio.sleep(3)
        assert not any(task.done() for task in tasks)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@asynccontextmanager
async def writing(app_url: str, trust: UUID) -> AsyncIterator[dict[str, float]]:
    """Inside the block the trust has five events a second; gives when each was committed."""
    database = Database(app_url, application_name="bench", schema="academy", registered=ACADEMY)
    committed: dict[str, float] = {}

    async def write() -> None:
        while True:
            finished = _finished(uuid7())
            subject = f"imports/{finished.import_id}"
            async with database.session(Context(trust, None, "bench")) as session:
                await record_event(session, IMPORT_FINISHED, subject=subject, urn=None, data=finished)
            committed[subject] = time.perf_counter()
            await asyncio.sleep(WRITE_SECONDS)

    task = asyncio.create_task(write())
    try:
        yield committed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await database.dispose()


def _finished(import_id: UUID) -> ImportFinished:
    return ImportFinished(
        import_id=import_id,
        kind="observations",
        academic_year=None,
        dry_run=True,
        state="succeeded",
        rows_read=1,
        rows_accepted=0,
        rows_new=0,
        rows_changed=0,
        errors_total=0,
        by=None,
        as_role=None,
    )


def _lags(committed: dict[str, float], came: dict[str, float]) -> list[float]:
    """Seconds from each commit to its reader; what never came counts as the longest time."""
    return sorted(came.get(subject, at + LONGEST_SECONDS) - at for subject, at in committed.items())


def _p99(lags: Sequence[float]) -> float:
    return lags[min(len(lags) - 1, len(lags) * 99 // 100)]


async def _measure_lag(stack: Stack, app_url: str, file: Path) -> list[Row]:
    """How late events are while large files are sent, against none being sent."""
    seen: dict[str, list[float]] = {}
    for name in ("calm", "uploads"):
        reader = Reader(stack.port, await asyncio.to_thread(stack.token, READING, trust=GROUP_UID))
        async with following([reader]), writing(app_url, TRUST) as committed:
            if name == "calm":
                await asyncio.sleep(8)
            else:
                await asyncio.gather(*(asyncio.to_thread(_send, stack, file) for _ in range(UPLOADS)))
            noted = dict(committed)
            await asyncio.sleep(5)
        assert len(noted) >= 20, "too few events to say anything"
        seen[name] = _lags(noted, reader.came)
    return [
        Row("feed_lag_during_uploads", _p99(seen["uploads"]), "s p99", "two seconds", 2.0, "≤ 1"),
        Row("feed_lag_calm", _p99(seen["calm"]), "s p99", "two seconds", 2.0),
    ]


def _send(stack: Stack, file: Path) -> None:
    """Send a file of a trust's own; it is only tried, so that what is measured is sending and reading it."""
    params = {"kind": "observations", "dry_run": "true"}
    with stack.client("data-manager", timeout=LONGEST_SECONDS * 2) as client, file.open("rb") as body:
        answer = client.post("/academy/v1/imports", params=params, content=body, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text


async def _measure_beside(stack: Stack, app_url: str) -> list[Row]:
    """Another trust's list, beside readers who are woken five times a second, and beside those who only wait."""
    with stack.client("status-reader") as other:
        theirs = {"Authorization": str(other.headers["Authorization"])}
    tokens = [await asyncio.to_thread(stack.token, READING, trust=GROUP_UID) for _ in range(IDLE // READERS_OF_TOKEN)]
    readers = [Reader(stack.port, tokens[number % len(tokens)]) for number in range(IDLE)]

    async def listed() -> dict[str, float]:
        return await asyncio.to_thread(load, stack, OTHERS_LIST, theirs, 200, connections=1, refusals=REFUSALS)

    alone = await listed()
    async with following(readers[:READERS]), writing(app_url, TRUST):
        woken = await listed()
    async with following(readers):
        idle = await listed()
    again = await listed()
    rows = []
    for name, seen in (("500_readers", woken), ("1000_idle", idle), ("nobody", again)):
        rows += [
            Row(f"list_beside_{name}_{part}", seen[part], "ms", "before them", alone[part])
            for part in ("p50_ms", "p99_ms")
        ]
        rows.append(Row(f"list_beside_{name}_refused", seen["refused"], "requests", "answered", seen["requests"]))
    return rows


@contextmanager
def _large_file(folder: Path) -> Iterator[Path]:
    path = folder / "large.csv"
    lines = b"".join(b"136105,ks4.attainment_8,2024/25,autumn,all,47.5,%d\n" % number for number in range(20_000))
    with path.open("wb") as file:
        file.write(b"urn,measure,academic_year,period,pupil_group,value,cohort\n")
        for _ in range(UPLOAD_BYTES // len(lines)):
            file.write(lines)
    yield path
    path.unlink()


def measure_feed(stack: Stack, app_url: str, folder: Path) -> list[Row]:
    """What uploads do to the feed, and what its readers do to others."""
    rows = asyncio.run(_measure_beside(stack, app_url))
    with _large_file(folder) as file:
        return rows + asyncio.run(_measure_lag(stack, app_url, file))
