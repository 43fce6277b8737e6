"""Which types of file are accepted, and what a file's content says that it is.

PDF, PNG and JPEG are found by their first bytes (filetype). Word, Excel and PowerPoint files are zips whose list of
parts says what they are; one with macros is rejected. Text has no first bytes: it is valid UTF-8 without NUL.
"""

import codecs
import re
import zipfile
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import IO, cast

import filetype

from kit.objects.errors import FileTypeNotAccepted

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
CSV = "text/csv"
TEXT = "text/plain"
_OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OFFICE}.wordprocessingml.document"
XLSX = f"{_OFFICE}.spreadsheetml.sheet"
PPTX = f"{_OFFICE}.presentationml.presentation"

ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        PDF: (".pdf",),
        PNG: (".png",),
        JPEG: (".jpg", ".jpeg"),
        DOCX: (".docx",),
        XLSX: (".xlsx",),
        PPTX: (".pptx",),
        CSV: (".csv",),
        TEXT: (".txt",),
    }
)
"""Every accepted type, with the endings that a file of it may have; the first is added where none of them is there."""

_IN_WORDS = "PDF, PNG, JPEG, Word (docx), Excel (xlsx), PowerPoint (pptx), CSV or plain text"
_TEXTS = frozenset({CSV, TEXT})
_ZIP = "application/zip"
_BINARY = [filetype.get_type(mime=name) for name in (PDF, PNG, JPEG, _ZIP)]
FIRST_BYTES = 512

# Office files list what is in them here; a real list is a few kilobytes.
_PARTS = "[Content_Types].xml"
_LONGEST_PARTS = 1 << 20
# A zip's directory is read whole: 50 MB of it take 20 seconds and 300 MB of memory. A real one is a few kilobytes, and
# what else is read is shorter: the end of the file with its comment, and the list of parts.
_LONGEST_READ = 2 << 20
_CONTENT_TYPE = re.compile(r"""ContentType\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_MACROS = ("macroenabled", "vbaproject", "vbadata")


class TextCheck:
    """Reads content in pieces and knows in the end whether it is text."""

    def __init__(self) -> None:
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        """The next piece."""
        if self._decoder is None:
            return
        try:
            self._decoder.decode(piece, is_last)
        except UnicodeDecodeError:
            self._decoder = None
        else:
            if b"\0" in piece:
                self._decoder = None

    @property
    def is_text(self) -> bool:
        """Valid UTF-8 without NUL, so far."""
        return self._decoder is not None


def type_of_name(name: str) -> str | None:
    """The type whose files end like this name; None for every other ending."""
    return next((media_type for media_type, endings in ENDINGS.items() if name.lower().endswith(endings)), None)


def check_type(said: str | None, content: IO[bytes], *, is_text: bool) -> str:
    """The type of a file by its content, which must be what it was said to be. Raises FileTypeNotAccepted.

    Without `said` the content alone decides. `is_text` is what a TextCheck found; `content` can be read from any place.
    """
    content.seek(0)
    first = content.read(FIRST_BYTES)
    matched = filetype.match(first, _BINARY)
    found: str | None = None if matched is None else matched.mime
    if found == _ZIP:
        found = _office_type(content)
    if found is None and is_text:
        # CSV and plain text can't be told apart by their content.
        found = said if said in _TEXTS else TEXT
    if not first:
        raise FileTypeNotAccepted("The file is empty.")
    if found is None and said in _TEXTS:
        # The commonest one: Excel's plain "CSV" is in the code page of the machine.
        raise FileTypeNotAccepted("This isn't text in UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8) and send it again.")
    if found is None:
        raise FileTypeNotAccepted(f"This is none of the types that are accepted. Send {_IN_WORDS}.")
    if said is not None and found != said:
        raise FileTypeNotAccepted(f"It was sent as {said}, but the content is {found}.")
    return found


class _ShortReads:
    """A file that gives little at once. Raises BadZipFile for whoever wants more."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.seek, self.tell, self.seekable = content.seek, content.tell, content.seekable

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all of them without a size."""
        found = self._content.read(_LONGEST_READ + 1 if size < 0 else min(size, _LONGEST_READ + 1))
        if len(found) > _LONGEST_READ:
            raise zipfile.BadZipFile("more is read at once than an Office file needs")
        return found


def _office_type(content: IO[bytes]) -> str | None:
    """Which Office file a zip is; None for every other zip. Raises FileTypeNotAccepted for one with macros."""
    try:
        with zipfile.ZipFile(cast("IO[bytes]", _ShortReads(content))) as archive:
            names = archive.namelist()
            with archive.open(_PARTS) as file:
                parts = file.read(_LONGEST_PARTS + 1)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, zlib.error, OSError, EOFError, ValueError):
        return None
    if len(parts) > _LONGEST_PARTS:
        return None
    try:
        types = [first or second for first, second in _CONTENT_TYPE.findall(parts.decode())]
    except UnicodeDecodeError:
        return None
    # An entity could hide a word from us; no program writes one here.
    if any("&" in name for name in types):
        return None
    described = " ".join([*types, *names]).lower()
    if any(word in described for word in _MACROS):
        raise FileTypeNotAccepted("Files with macros aren't accepted. Save it without macros (docx, xlsx or pptx).")
    return next((name for name in (DOCX, XLSX, PPTX) if f"{name}.main+xml" in types), None)


def with_ending(name: str, media_type: str) -> str:
    """A file's name with an ending that fits its type, so that no program opens it as something else."""
    endings = ENDINGS[media_type]
    return name if name.lower().endswith(endings) else name + endings[0]
