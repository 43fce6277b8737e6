"""Objects in a folder: written under another name, synced, then renamed, so that each is whole or absent."""

import asyncio
import errno
import fcntl
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TypeVar
from uuid import UUID

from kit.disks import FULL
from kit.objects.errors import ObjectStoreFull, ObjectStoreUnavailable
from kit.objects.keys import ObjectKey, is_uuid
from kit.objects.listing import StoredObject

READ_BYTES = 256 * 1024
RETRY_SECONDS = 5
FULL_RETRY_SECONDS = 300

Result = TypeVar("Result")


class BackupRunning(Exception):
    """Nothing is removed while a backup reads the folder."""


class FolderStore:
    """Objects below one folder. It is made when it is first written to, if the folder above it exists."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def incoming(self) -> Path:
        """Below the same folder, so that a file needs only a new name. Made if need be; raises OSError."""
        folder = self.root / ".incoming"
        # Without parents: where a volume isn't mounted, nothing must be written in its place.
        for one in (self.root, folder):
            one.mkdir(mode=0o700, exist_ok=True)
        return folder

    async def put(self, key: ObjectKey, content: IO[bytes]) -> None:
        """Keep a whole object: the file in `incoming` gets its final name once its content is on the disk."""
        await _in_thread(lambda: self.place(key, content))

    def place(self, key: ObjectKey, content: IO[bytes]) -> None:
        """The same without a loop. Raises OSError."""
        target = self.root / key.path
        content.flush()
        os.fsync(content.fileno())
        _make_durably(target.parent, self.root)
        Path(content.name).replace(target)
        _sync_folder(target.parent)

    async def has(self, key: ObjectKey, size_bytes: int) -> bool:
        """Is it there, with this size?"""
        return await _in_thread(lambda: _size(self.root / key.path) == size_bytes)

    async def read(self, key: ObjectKey, size_bytes: int) -> AsyncGenerator[bytes, None]:
        """Its content in pieces; that it is there whole is known before this returns."""
        path = self.root / key.path
        await _in_thread(lambda: _check_whole(path, size_bytes))

        async def pieces() -> AsyncGenerator[bytes, None]:
            # Opened only here: who wants the headers alone never begins.
            with await asyncio.to_thread(path.open, "rb") as file:
                while piece := await asyncio.to_thread(file.read, READ_BYTES):
                    yield piece

        return pieces()

    async def trusts(self, service: str) -> Sequence[UUID]:
        """The trusts that a service keeps objects of."""
        return await _in_thread(lambda: [UUID(name) for name in _names(self.root / service) if is_uuid(name)])

    async def objects(self, service: str, trust_id: UUID) -> Sequence[StoredObject]:
        """Every object that a service keeps of a trust."""
        return await _in_thread(lambda: list(self.walk(f"{service}/{trust_id}")))

    def walk(self, below: str = "") -> Iterator[StoredObject]:
        """Every object below a part of the folder, in the order of their places; other files are passed over."""
        top = self.root / below
        for folder, subfolders, names in os.walk(top):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder) / name
                key = ObjectKey.of_path(path.relative_to(self.root).as_posix())
                if key is not None:
                    with suppress(FileNotFoundError):
                        status = path.stat()
                        yield StoredObject(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    async def delete(self, key: ObjectKey) -> None:
        """Remove an object. Raises BackupRunning while a backup reads the folder."""

        def remove() -> None:
            with self.lock():
                (self.root / key.path).unlink(missing_ok=True)

        await _in_thread(remove)

    async def clean(self, older_than_seconds: float) -> int:
        """Remove what uploads of processes that were killed have left in `incoming`."""

        def remove() -> int:
            removed = 0
            for name in _names(self.root / ".incoming"):
                path = self.root / ".incoming" / name
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > older_than_seconds:
                        path.unlink()
                        removed += 1
            return removed

        return await _in_thread(remove)

    @contextmanager
    def lock(self, *, for_backup: bool = False) -> Iterator[None]:
        """Held together by all who remove, and alone by a backup, which waits for them and for another backup.

        Raises BackupRunning to who wants to remove meanwhile, or OSError.
        """
        with (self.root / ".lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX if for_backup else fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupRunning from None
            yield


def store_full() -> ObjectStoreFull:
    """The problem of a file that there is no room for."""
    return ObjectStoreFull("There is no room for more files.", retry_after_seconds=FULL_RETRY_SECONDS)


def problem_of_disk(error: OSError) -> ObjectStoreFull | ObjectStoreUnavailable:
    """What an error of the disk means for somebody who sends or reads a file."""
    if error.errno in FULL:
        return store_full()
    return ObjectStoreUnavailable("Files can't be reached at the moment.", retry_after_seconds=RETRY_SECONDS)


async def _in_thread(work: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise problem_of_disk(error) from error


def _check_whole(path: Path, size_bytes: int) -> None:
    if path.stat().st_size != size_bytes:
        raise OSError(errno.EIO, "the object has another size than its row says")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return []


def _make_durably(folder: Path, root: Path) -> None:
    """Make a folder below the root, and be sure that it is there after a power cut."""
    if folder == root or folder.is_dir():
        return
    _make_durably(folder.parent, root)
    folder.mkdir(mode=0o700, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
