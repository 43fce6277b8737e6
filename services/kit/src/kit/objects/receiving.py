"""Taking in a file while it is sent: hashed, measured and checked in bounded memory, before a transaction opens."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from kit.objects.errors import FileTooLarge
from kit.objects.folder import problem_of_disk
from kit.objects.keys import ObjectKey
from kit.objects.media_types import TextCheck, check_type
from kit.objects.stores import ObjectStore

LARGEST_BYTES = 50 * 1024 * 1024
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A whole file that the store has; no row names it yet."""

    key: ObjectKey
    size_bytes: int
    media_type: str


async def receive(
    body: AsyncIterator[bytes], store: ObjectStore, *, service: str, trust_id: UUID, media_type: str
) -> ReceivedFile:
    """Put the file that `body` brings into the store; `media_type` is what it was said to be.

    Raises FileTooLarge, FileTypeNotAccepted, ObjectStoreFull and ObjectStoreUnavailable; nothing is kept then.
    """
    try:
        with _incoming(store) as content:
            intake = _Intake(content)
            async for piece in body:
                await intake.take(piece)
            await intake.finish(media_type)
            key = ObjectKey(service, trust_id, intake.sha256.hexdigest())
            await store.put(key, content)
    except OSError as error:
        raise problem_of_disk(error) from error
    return ReceivedFile(key, intake.size_bytes, media_type)


@contextmanager
def _incoming(store: ObjectStore) -> Iterator[IO[bytes]]:
    """A file that is gone when the block ends, unless the store gave it another name."""
    with tempfile.NamedTemporaryFile(dir=store.incoming, prefix="upload-", delete=False) as content:
        try:
            yield content
        finally:
            with suppress(FileNotFoundError):
                Path(content.name).unlink()


class _Intake:
    """Takes the pieces of one file."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
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

    async def finish(self, media_type: str) -> None:
        """The end of the body."""
        await self._write()
        await asyncio.to_thread(self._check, media_type)

    async def _write(self) -> None:
        pieces, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
        await asyncio.to_thread(self._keep, pieces)

    def _keep(self, pieces: bytes) -> None:
        self._text.feed(pieces)
        self.sha256.update(pieces)
        self._content.write(pieces)

    def _check(self, media_type: str) -> None:
        self._text.feed(b"", is_last=True)
        self._content.flush()
        check_type(media_type, self._content, is_text=self._text.is_text and self.size_bytes > 0)


def too_large() -> FileTooLarge:
    """The problem of a file over the limit."""
    return FileTooLarge(f"A file may have at most {LARGEST_BYTES:,} bytes.", limit_bytes=LARGEST_BYTES)
