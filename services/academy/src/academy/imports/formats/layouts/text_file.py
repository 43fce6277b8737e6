"""A text file, told from what isn't one: its encoding, and where its text begins."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from academy.imports.codes import RowCode
from academy.imports.formats.layouts.headers import is_web_page
from academy.imports.formats.layouts.records import BLOCK
from academy.imports.formats.reading import FileRefused, is_gzip

START: Final = 256
"""What a file is can be seen in so many bytes."""

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_IN_CP1252: Final = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class Text:
    """A text file that can be read: its encoding, where its text begins after a byte-order mark, and its
    size."""

    path: Path
    encoding: str
    start: int
    size: int


def open_text(path: Path, *, may_be_cp1252: bool) -> Text:
    """Look at the start of a file; when it may be Windows-1252, at all of it.

    Raises FileRefused when it is empty, packed, UTF-16, or not text. A file that must be UTF-8 is checked
    while it is read (`check_text`), since looking through it first would take as long as reading it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(START)
        if not size:
            raise FileRefused(RowCode.FILE_EMPTY, "The file is empty.")
        if is_gzip(head):
            raise FileRefused(RowCode.PACKED_TWICE, "The file is still gzipped after it was unpacked once.")
        if head.startswith(_UTF16):
            raise FileRefused(RowCode.ENCODING_UTF16, "The file is UTF-16. Save it as CSV UTF-8 and send it again.")
        if is_web_page(head):
            detail = "The file is a web page, not a table: the address may have led to a login or to an error."
            raise FileRefused(RowCode.WEB_PAGE, detail)
        start = 3 if head.startswith(codecs.BOM_UTF8) else 0
        file.seek(start)
        encoding = _encoding(file) if may_be_cp1252 else "utf-8"
    return Text(path, encoding, start, size)


def _encoding(file: BinaryIO) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252 = True, True
    while block := file.read(BLOCK):
        is_cp1252 = is_cp1252 and not _NOT_IN_CP1252.search(block)
        if is_utf8:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8 = False
    if not is_utf8 and not is_cp1252:
        raise FileRefused(RowCode.ENCODING, "The file is neither UTF-8 nor Windows-1252.")
    return "utf-8" if is_utf8 else "cp1252"


def check_text(block: bytes, encoding: str, line: int) -> None:
    """Raise FileRefused when whole lines, of which the first is `line`, hold a NUL or aren't in this
    encoding."""
    nul = block.find(b"\0")
    if nul >= 0:
        at = line + block.count(b"\n", 0, nul)
        raise FileRefused(RowCode.NUL_BYTE, f"Line {at} holds a NUL byte; this is no text file.", row=at)
    if encoding == "utf-8" and not block.isascii():
        try:
            codecs.utf_8_decode(block, "strict", True)
        except UnicodeDecodeError as error:
            at = line + block.count(b"\n", 0, error.start)
            detail = f"Line {at} is not UTF-8. Save the file as CSV UTF-8 and send it again."
            raise FileRefused(RowCode.ENCODING, detail, row=at) from error
