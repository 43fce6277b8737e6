"""The folder: whole or absent, apart for each trust."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from kit.objects.errors import ObjectStoreFull, ObjectStoreUnavailable
from kit.objects.folder import BackupRunning, FolderStore, problem_of_disk
from kit.objects.keys import ObjectKey
from kit.objects.receiving import receive
from kit.objects.stores import object_store
from tests.support.tokens import OTHER_TRUST, PROSPERE

CONTENT = b"urn,value\n100001,3\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
KEY = ObjectKey("academy", PROSPERE, SHA256)


def waiting(store: FolderStore) -> list[Path]:
    """What uploads have left, or are writing."""
    return list(store.incoming.iterdir())


async def keep(store: FolderStore, trust_id: UUID = PROSPERE, content: bytes = CONTENT) -> ObjectKey:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 5):
            yield content[start : start + 5]

    received = await receive(body(), store, service="academy", trust_id=trust_id, media_type="text/csv")
    return received.key


async def content_of(store: FolderStore, key: ObjectKey, size: int = len(CONTENT)) -> bytes:
    return b"".join([piece async for piece in await store.read(key, size)])


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A folder that isn't made yet."""
    return FolderStore(tmp_path / "objects")


async def test_what_was_kept_is_read_again(store: FolderStore) -> None:
    assert await keep(store) == KEY
    assert await content_of(store, KEY) == CONTENT
    assert await store.has(KEY, len(CONTENT))
    assert [(one.key, one.size_bytes) for one in await store.objects("academy", PROSPERE)] == [(KEY, len(CONTENT))]
    assert waiting(store) == []


async def test_the_same_content_is_one_object_for_a_trust_and_another_for_the_next(store: FolderStore) -> None:
    await keep(store)
    before = (store.root / KEY.path).stat()
    await keep(store)
    assert len(list(store.walk())) == 1
    # Written again, so that its age begins anew and no sweep takes it meanwhile.
    assert (store.root / KEY.path).stat().st_ino != before.st_ino
    other = await keep(store, OTHER_TRUST)
    assert len(list(store.walk())) == 2
    assert sorted(await store.trusts("academy"), key=str) == sorted([PROSPERE, OTHER_TRUST], key=str)
    await store.delete(other)
    assert await content_of(store, KEY) == CONTENT


async def test_only_its_owner_may_look_into_the_folder(store: FolderStore) -> None:
    await keep(store)
    path = store.root / KEY.path
    assert [one.stat().st_mode & 0o077 for one in (path, *path.parents) if store.root in (one, *one.parents)] == [0] * 5


async def test_content_is_synced_before_it_has_its_name(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def note_sync(descriptor: int) -> None:
        done.append("folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")
        fsync(descriptor)

    def note_name(path: Path, target: Path) -> Path:
        done.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_name)
    await keep(store)
    # Three new folders (service, trust, first digits), each noted in the one above it.
    assert done == ["file", "folder", "folder", "folder", "name", "folder"]


async def test_an_object_that_was_cut_or_is_gone_is_not_given_out(store: FolderStore) -> None:
    await keep(store)
    os.truncate(store.root / KEY.path, 4)
    with pytest.raises(ObjectStoreUnavailable):
        await store.read(KEY, len(CONTENT))
    assert not await store.has(KEY, len(CONTENT))
    (store.root / KEY.path).unlink()
    with pytest.raises(ObjectStoreUnavailable):
        await store.read(KEY, len(CONTENT))


def test_nothing_is_written_where_the_folder_above_is_missing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not-mounted" / "objects")
    with pytest.raises(ObjectStoreUnavailable):
        asyncio.run(keep(store))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_to_be_full() -> None:
    for number in (28, 122):
        assert isinstance(problem_of_disk(OSError(number, os.strerror(number))), ObjectStoreFull)
    assert isinstance(problem_of_disk(PermissionError(13, "no")), ObjectStoreUnavailable)


async def test_a_full_disk_leaves_nothing(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ObjectStoreFull):
        await keep(store)
    assert list(store.walk()) == []
    assert waiting(store) == []


async def test_a_sender_who_goes_away_leaves_nothing(store: FolderStore) -> None:
    begun = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * (2 << 20)
        begun.set()
        await asyncio.Event().wait()

    sending = asyncio.ensure_future(receive(body(), store, service="academy", trust_id=PROSPERE, media_type="text/csv"))
    await begun.wait()
    assert len(waiting(store)) == 1
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert waiting(store) == []


async def test_nothing_is_removed_while_a_backup_reads(store: FolderStore) -> None:
    await keep(store)
    with store.lock(for_backup=True), pytest.raises(BackupRunning):
        await store.delete(KEY)
    # Others who remove are in nobody's way.
    with store.lock():
        await store.delete(KEY)
    assert list(store.walk()) == []


@pytest.mark.parametrize(
    "path",
    [
        "academy/../../etc/passwd",
        f"academy/{PROSPERE}/00/{SHA256}",
        f"academy/{str(PROSPERE).upper()}/{SHA256[:2]}/{SHA256}",
        f"academy/{PROSPERE}/{SHA256[:2]}/{SHA256}/more",
        f"Academy/{PROSPERE}/{SHA256[:2]}/{SHA256}",
        f"/academy/{PROSPERE}/{SHA256[:2]}/{SHA256}",
    ],
)
def test_only_the_place_of_a_key_is_one(path: str) -> None:
    assert ObjectKey.of_path(path) is None
    assert ObjectKey.of_path(KEY.path) == KEY


def test_a_url_names_a_store(tmp_path: Path) -> None:
    found = object_store(tmp_path.as_uri())
    assert isinstance(found, FolderStore)
    assert found.root == tmp_path
    for wrong in ("", "objects", "/var/objects", "file://elsewhere/objects", "s3://", "s3://b/p?endpoint=x", "gs://b"):
        with pytest.raises(ValueError, match="TRELLIS_OBJECT_STORE_URL"):
            object_store(wrong)


def test_an_unknown_trust_has_no_objects(store: FolderStore) -> None:
    assert asyncio.run(store.objects("academy", uuid4())) == []
