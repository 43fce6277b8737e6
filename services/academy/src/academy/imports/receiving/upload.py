"""Taking a file in while it is sent: hashed, measured and checked, in bounded memory, before anything is kept.

It waits in a temporary file and not in an open transaction: a caller who sends slowly would hold the change feed
back for everybody, and one who goes away would leave rows to clean up.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Final

from academy.imports.codes import RowCode
from academy.imports.errors import FileTypeNotAccepted, FileUnreadable, ImportTooLarge
from academy.imports.formats.reading import FileRefused, is_gzip
from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.unpacking import FileTooLarge, Unpacker
from kit.disks import FULL, Disks, full
from kit.problems import FieldError

CHUNK_BYTES = 1 << 20
_IN_MEMORY_BYTES = 4 << 20
EVERYTHING: Final = Disks()
_BLANK: Final = b" \t\r\n"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Shape(StrEnum):
    """What the text of a file looks like, by its first character."""

    TABLE = "CSV"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A whole file as it was sent."""

    content: IO[bytes]
    sha256: str
    size_bytes: int
    unpacked_bytes: int
    is_gzipped: bool

    def chunks(self, disks: Disks = EVERYTHING) -> Iterator[bytes]:
        """Its content in pieces of 1 MiB, the last one shorter, as long as there is room. Raises StorageFull."""
        self.content.seek(0)
        while chunk := self.content.read(CHUNK_BYTES):
            disks.check(2 * len(chunk))
            yield chunk


@asynccontextmanager
async def receive(
    body: AsyncIterator[bytes],
    limits: ImportLimits,
    *,
    says_gzip: bool,
    expected: Shape | None = None,
    disks: Disks = EVERYTHING,
) -> AsyncIterator[ReceivedFile]:
    """The file that `body` brings; it is gone when the block ends. `expected` is the shape that its type promises.

    Raises ImportTooLarge, FileUnreadable, FileTypeNotAccepted and StorageFull.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as content:
        upload = _Upload(content, limits, says_gzip=says_gzip, expected=expected, disks=disks)
        waiting: list[bytes] = []
        size = 0
        async for piece in body:
            waiting.append(piece)
            size += len(piece)
            if size >= CHUNK_BYTES:
                await asyncio.to_thread(upload.take, b"".join(waiting))
                waiting, size = [], 0
        await asyncio.to_thread(upload.take, b"".join(waiting))
        await asyncio.to_thread(upload.finish)
        yield ReceivedFile(content, upload.sha256.hexdigest(), upload.size_bytes, upload.unpacked_bytes, says_gzip)


class _Upload:
    """Takes the pieces of one file."""

    def __init__(
        self, content: IO[bytes], limits: ImportLimits, *, says_gzip: bool, expected: Shape | None, disks: Disks
    ) -> None:
        self._content = content
        self._disks = disks
        self._limits = limits
        self._says_gzip = says_gzip
        self._expected = expected
        self._start = b""
        self._unpacker = Unpacker(limits.unpacking)
        self.sha256 = hashlib.sha256()
        self.size_bytes = 0

    @property
    def unpacked_bytes(self) -> int:
        """The size of the plain file so far."""
        return self._unpacker.unpacked

    def take(self, piece: bytes) -> None:
        """One piece of any size."""
        if not piece:
            return
        if self.size_bytes == 0 and len(piece) > 1:
            self._check_packing(piece)
        self.size_bytes += len(piece)
        if self.size_bytes > self._limits.sent_bytes:
            raise too_large(self._limits)
        self.sha256.update(piece)
        # What was sent is still to be written to the database, which writes everything twice.
        self._disks.check(2 * self.size_bytes)
        try:
            self._content.write(piece)
        except OSError as error:
            if error.errno in FULL:
                raise full() from error
            raise
        self._unpack(piece)

    def finish(self) -> None:
        """The end of the body."""
        if self.size_bytes == 0:
            raise _unreadable(FileRefused(RowCode.FILE_EMPTY, "The file is empty."))
        self._unpack(None)

    def _check_packing(self, piece: bytes) -> None:
        if is_gzip(piece) and not self._says_gzip:
            raise FileTypeNotAccepted("The file is gzipped: send Content-Encoding: gzip.")
        if self._says_gzip and not is_gzip(piece):
            raise _unreadable(FileRefused(RowCode.NOT_GZIP, "The request says that the file is gzipped, but it isn't."))

    def _unpack(self, piece: bytes | None) -> None:
        """Unpack without keeping it: a bomb or a file that is cut off is refused while its sender is there."""
        try:
            for plain in self._unpacker.finish() if piece is None else self._unpacker.feed(piece):
                if self._expected is not None:
                    self._check_shape(self._expected, plain)
        except FileTooLarge as refused:
            raise ImportTooLarge(refused.detail, limit_bytes=self._limits.unpacked_bytes) from None
        except FileRefused as refused:
            if refused.code == RowCode.FORMAT_UNSUPPORTED:
                raise FileTypeNotAccepted(refused.detail) from None
            raise _unreadable(refused) from None

    def _check_shape(self, expected: Shape, plain: bytes) -> None:
        """Compare the first character of the text with the media type. Raises FileTypeNotAccepted."""
        self._start = (self._start + plain[:CHUNK_BYTES]).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)[:16]
        if not self._start or _BYTE_ORDER_MARK.startswith(self._start):
            return
        self._expected = None
        shape = Shape.JSON if self._start[:1] in (b"{", b"[") else Shape.TABLE
        if shape is not expected:
            raise FileTypeNotAccepted(f"The media type is that of {expected}, but the file begins as {shape} does.")


def too_large(limits: ImportLimits) -> ImportTooLarge:
    """The problem of a file over the limit."""
    return ImportTooLarge(f"A file may have at most {limits.sent_bytes:,} bytes.", limit_bytes=limits.sent_bytes)


def _unreadable(refused: FileRefused) -> FileUnreadable:
    return FileUnreadable(refused.detail, errors=[FieldError.in_body([], refused.code, refused.detail)])
