"""Taking in a file while it is sent: hashed, measured and checked in bounded memory, before a transaction opens."""

import asyncio
import errno
import fcntl
import hashlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from kit.disks import Disks
from kit.objects.errors import FileTooLarge
from kit.objects.folder import problem_of_disk, store_full
from kit.objects.keys import ObjectKey
from kit.objects.media_types import TextCheck, check_type
from kit.objects.stores import ObjectStore

LARGEST_BYTES = 50 * 1024 * 1024
CHUNK_BYTES = 1 << 20
EVERYTHING: Final = Disks()
_NOT_OFFERED: Final = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A whole file that the store has; no row names it yet."""

    key: ObjectKey
    size_bytes: int
    media_type: str


async def receive(
    body: AsyncIterator[bytes],
    store: ObjectStore,
    *,
    service: str,
    trust_id: UUID,
    media_type: str | None,
    disks: Disks = EVERYTHING,
    length: int | None = None,
) -> ReceivedFile:
    """Put the file that `body` brings into the store; `media_type` is what it was said to be, None when
    nothing says so, and `length` its size.

    Its room is taken on the disk before it comes, where each process sees it: that of the largest file if there is no
    `length`. Raises FileTooLarge, FileTypeNotAccepted, ObjectStoreFull and ObjectStoreUnavailable; nothing is kept
    then.
    """
    try:
        with _incoming(store) as content:
            await asyncio.to_thread(_take_room, content, disks, LARGEST_BYTES if length is None else length)
            intake = _Intake(content, disks)
            async for piece in body:
                await intake.take(piece)
            found = await intake.finish(media_type)
            key = ObjectKey(service, trust_id, intake.sha256.hexdigest())
            await store.put(key, content)
    except OSError as error:
        raise problem_of_disk(error) from error
    return ReceivedFile(key, intake.size_bytes, found)


@contextmanager
def _incoming(store: ObjectStore) -> Iterator[IO[bytes]]:
    """A file that is gone when the block ends, unless the store gave it another name."""
    with tempfile.NamedTemporaryFile(dir=store.incoming, prefix="upload-", delete=False) as content:
        try:
            yield content
        finally:
            with suppress(FileNotFoundError):
                Path(content.name).unlink()


def _take_room(content: IO[bytes], disks: Disks, size_bytes: int) -> None:
    """Let the disk set aside what the file will need, if that leaves the reserve.

    Raises ObjectStoreFull and OSError.
    """
    # Its own number for the file, which stays this file's if the sender goes away meanwhile.
    descriptor = os.dup(content.fileno())
    try:
        with _one_at_a_time(Path(content.name).parent):
            check_disks(disks, size_bytes)
            # Not every system can: there only what has come counts.
            if sys.platform == "linux" and size_bytes:
                os.posix_fallocate(descriptor, 0, size_bytes)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Between the look at the disk and what is set aside no other process does the same; it takes milliseconds."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some file systems of a network lock no folders.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def check_disks(disks: Disks, coming_bytes: int = 0) -> None:
    """Raises ObjectStoreFull unless there is room for so many bytes more."""
    if not disks.has_room(coming_bytes):
        raise store_full()


class _Intake:
    """Takes the pieces of one file."""

    def __init__(self, content: IO[bytes], disks: Disks) -> None:
        self._content = content
        self._disks = disks
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._text = TextCheck()
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    async def take(self, piece: bytes) -> None:
        """One piece of any size."""
        self.size_bytes += len(piece)
        if self.size_bytes > LARGEST_BYTES:
            raise too_large()
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes >= CHUNK_BYTES:
            await self._write()

    async def finish(self, media_type: str | None) -> str:
        """The end of the body; the type that it has."""
        await self._write()
        return await asyncio.to_thread(self._check, media_type)

    async def _write(self) -> None:
        pieces, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        await asyncio.to_thread(self._keep, pieces)

    def _keep(self, pieces: bytes) -> None:
        self._text.feed(pieces)
        self.sha256.update(pieces)
        # Others may have used the reserve meanwhile: what is given up here is theirs.
        check_disks(self._disks)
        self._content.write(pieces)

    def _check(self, media_type: str | None) -> str:
        self._text.feed(b"", is_last=True)
        self._content.flush()
        self._content.truncate(self.size_bytes)
        return check_type(media_type, self._content, is_text=self._text.is_text and self.size_bytes > 0)


def too_large() -> FileTooLarge:
    """The problem of a file over the limit."""
    return FileTooLarge(f"A file may have at most {LARGEST_BYTES:,} bytes.", limit_bytes=LARGEST_BYTES)
