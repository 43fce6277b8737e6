"""From the bytes that were sent to a plain file: gzip unpacked within limits, other packages refused."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from academy.imports.codes import RowCode
from academy.imports.formats.reading import FileRefused, is_gzip

PIECE: Final = 1 << 20
"""Unpacked bytes come in pieces of at most this size, however much a few packed bytes hold."""

SLICE: Final = 16 << 10
"""Packed bytes are unpacked in slices: what is left of one is copied at the end of each member in it."""

MOST_MEMBERS: Final = 100_000
"""A gzip file of 2 GiB in blocks of 64 KiB (bgzip) has a third of this."""

RATIO_MATTERS_FROM: Final = 8 << 20
"""A small file may well be a thousand times one repeated line; below this size its ratio isn't looked at."""

_GZIP_WITH_HEADER: Final = 16 + zlib.MAX_WBITS
_OTHER_PACKAGES: Final = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "a SQLite database"),
)


class FileTooLarge(FileRefused):
    """A file that is, or unpacks to, more than is allowed (413 where HTTP is spoken)."""


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """How much a file may unpack to: in bytes, and as a multiple of what was sent."""

    unpacked_bytes: int = 2 << 30
    ratio: int = 100


class Unpacker:
    """Unpacks a file while it arrives. Its first bytes show whether it is gzipped, so that a `.gz`
    file and `Content-Encoding: gzip` mean the same, and a file that is both is unpacked once and then
    refused as gzip.

    Feed every piece, take what comes out, and `finish`. Raises FileTooLarge beyond the limits and
    FileRefused when the gzip is damaged, cut off, or the file is another kind of package.
    """

    def __init__(self, limits: UnpackLimits = UnpackLimits()) -> None:
        self._limits = limits
        self._head = b""
        self._started = False
        self._stream: zlib._Decompress | None = None
        self._members = 0
        self.received = 0
        self.unpacked = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The plain bytes of this piece, in pieces of their own; consume them all before the next call."""
        self.received += len(piece)
        if not self._started:
            self._head += piece
            if len(self._head) < 16:
                return
            piece = self._start()
        yield from self._plain(piece)

    def finish(self) -> Iterator[bytes]:
        """The rest, if any. Raises FileRefused for a file that is empty or cut off."""
        if not self._started:
            yield from self._plain(self._start())
        if self.received == 0:
            raise FileRefused(RowCode.FILE_EMPTY, "The file is empty.")
        if self._stream is not None and not self._stream.eof:
            raise FileRefused(RowCode.GZIP_TRUNCATED, "The gzip file is cut off: its end is missing.")

    def _start(self) -> bytes:
        self._started = True
        head, self._head = self._head, b""
        for signature, name in _OTHER_PACKAGES:
            if head.startswith(signature):
                detail = f"This is {name}. Send CSV, JSON or NDJSON text, plain or gzipped."
                raise FileRefused(RowCode.FORMAT_UNSUPPORTED, detail)
        if is_gzip(head):
            self._begin_member()
        return head

    def _plain(self, piece: bytes) -> Iterator[bytes]:
        if self._stream is None:
            self._count(len(piece))
            if piece:
                yield piece
            return
        for start in range(0, len(piece), SLICE):
            yield from self._unpacked(piece[start : start + SLICE])

    def _begin_member(self) -> "zlib._Decompress":
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise FileRefused(RowCode.GZIP_MEMBERS, f"The gzip file has more than {MOST_MEMBERS:,} members (parts).")
        self._stream = zlib.decompressobj(_GZIP_WITH_HEADER)
        return self._stream

    def _unpacked(self, piece: bytes) -> Iterator[bytes]:
        assert self._stream is not None
        stream = self._stream
        while True:
            if stream.eof:
                # A gzip file may be several members in a row, and be padded with zeros.
                piece = piece.lstrip(b"\0")
                if not piece:
                    return
                stream = self._begin_member()
            try:
                plain = stream.decompress(piece, PIECE)
            except zlib.error as error:
                raise FileRefused(RowCode.GZIP_DAMAGED, f"The gzip file is damaged: {error}.") from error
            self._count(len(plain))
            if plain:
                yield plain
            piece = stream.unused_data if stream.eof else stream.unconsumed_tail
            # All packed bytes may be taken while plain ones still wait: then what came out fills the piece.
            if not piece and len(plain) < PIECE:
                return

    def _count(self, plain: int) -> None:
        self.unpacked += plain
        if self.unpacked > self._limits.unpacked_bytes:
            most = self._limits.unpacked_bytes >> 20
            raise FileTooLarge(RowCode.FILE_TOO_LARGE, f"The file is larger than {most} MiB when unpacked.")
        if self.unpacked > RATIO_MATTERS_FROM and self.unpacked > self.received * self._limits.ratio:
            detail = f"The file unpacks to more than {self._limits.ratio} times its size."
            raise FileTooLarge(RowCode.RATIO_TOO_HIGH, detail)
