"""Room for files while they are sent: set aside when they begin, given back when they are refused."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from kit.disks import Disks
from kit.objects.errors import ObjectStoreFull
from kit.objects.folder import FolderStore
from kit.objects.receiving import ReceivedFile, receive
from kit.web import streams
from kit.web.app import Service
from tests.kit.objects.test_files import app, client, database, limit, rows, send, store
from tests.kit.objects.test_folder import waiting
from tests.support.databases import Clone
from tests.support.jobs import until
from tests.support.tokens import PROSPERE

__all__ = ["app", "client", "database", "store"]

MEBIBYTE = 1 << 20
RESERVE = 20 * MEBIBYTE
DISK = RESERVE + 45 * MEBIBYTE


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch, store: FolderStore) -> Disks:
    """A small disk with nothing on it but the files of the store."""

    def free_bytes(_disks: Disks) -> dict[str, int]:
        taken = sum(path.stat().st_blocks * 512 for path in store.root.rglob("*") if path.is_file())
        return {"files": DISK - taken}

    monkeypatch.setattr(Disks, "free_bytes", free_bytes)
    return Disks(RESERVE, {"files": store.root})


async def test_files_that_are_being_sent_are_counted_before_they_are_here(disks: Disks, store: FolderStore) -> None:
    go_on = asyncio.Event()
    begun = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        yield b"a,b\n"
        await go_on.wait()
        yield b"1,2\n"

    def sending(length: int | None) -> asyncio.Task[ReceivedFile]:
        taken = receive(
            body(), store, service="academy", trust_id=PROSPERE, media_type="text/csv", disks=disks, length=length
        )
        return asyncio.create_task(taken)

    tasks = [sending(10 * MEBIBYTE) for _ in range(12)]

    async def are_taken_or_refused() -> bool:
        return begun + sum(task.done() for task in tasks) == len(tasks)

    await until(are_taken_or_refused, 20)
    assert begun == 4
    assert disks.free_bytes()["files"] >= RESERVE
    # One without a length may become as large as any.
    with pytest.raises(ObjectStoreFull):
        await sending(None)
    go_on.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [answer for answer in answers if not isinstance(answer, ReceivedFile)]
    assert all(isinstance(answer, ObjectStoreFull) for answer in refused)
    assert len(refused) == 8
    # What was set aside and not needed is free again.
    assert waiting(store) == []
    assert disks.free_bytes()["files"] > DISK - MEBIBYTE
    assert (await sending(10 * MEBIBYTE)).size_bytes == 8


async def test_a_file_gives_way_when_others_use_the_reserve(disks: Disks, store: FolderStore) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"1,2\n" * (MEBIBYTE // 4)
        (store.root / "of-others").write_bytes(b"\1" * (DISK - RESERVE))
        yield b"1,2\n" * (MEBIBYTE // 4)

    with pytest.raises(ObjectStoreFull):
        await receive(
            body(),
            store,
            service="academy",
            trust_id=PROSPERE,
            media_type="text/csv",
            disks=disks,
            length=2 * MEBIBYTE,
        )
    assert waiting(store) == []
    assert list(store.walk()) == []


@pytest.mark.parametrize("pause_seconds", [0.01, 60.0])
async def test_a_sender_who_is_too_slow_is_not_waited_for(
    client: httpx.AsyncClient, store: FolderStore, monkeypatch: pytest.MonkeyPatch, pause_seconds: float
) -> None:
    monkeypatch.setattr(streams, "PAUSE_SECONDS", 0.2)

    async def body() -> AsyncIterator[bytes]:
        # Fast at first: that buys no time.
        yield b"a,b\n" * MEBIBYTE
        while True:
            await asyncio.sleep(pause_seconds)
            yield b"1"

    async with asyncio.timeout(20):
        answer = await client.post("/academy/v1/things/100001/files", params={"name": "a.csv"}, content=body())
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")
    assert answer.json()["detail"] == "The body came too slowly."
    assert waiting(store) == []


async def test_of_files_that_are_refused_at_once_nothing_is_left(
    app: Service, client: httpx.AsyncClient, store: FolderStore, committed_database: Clone
) -> None:
    limit(app, 1024)
    # With a key they are refused only once they are here.
    answers = await asyncio.gather(
        *(
            send(client, f"{number}\n".encode().rjust(2048, b"0"), headers={"Idempotency-Key": f"k{number}"})
            for number in range(16)
        )
    )
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(507, "storage-quota-reached")}
    assert await rows(committed_database) == []
    assert list(store.walk()) == []
    assert waiting(store) == []
