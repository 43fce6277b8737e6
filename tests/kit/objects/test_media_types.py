"""What a file's content says that it is."""

import io
import zipfile

import pytest

from kit.objects.errors import FileTypeNotAccepted
from kit.objects.media_types import (
    CSV,
    DOCX,
    JPEG,
    PDF,
    PNG,
    PPTX,
    TEXT,
    XLSX,
    TextCheck,
    check_type,
    type_of_name,
    with_ending,
)
from tests.kit.objects.filing import office

PDF_FILE = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"
PNG_FILE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
JPEG_FILE = b"\xff\xd8\xff\xe0\0\x10JFIF\0"


def check(said: str | None, content: bytes) -> str:
    text = TextCheck()
    for start in range(0, len(content), 7):
        text.feed(content[start : start + 7])
    text.feed(b"", is_last=True)
    return check_type(said, io.BytesIO(content), is_text=text.is_text)


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (PDF, PDF_FILE),
        (PNG, PNG_FILE),
        (JPEG, JPEG_FILE),
        (DOCX, office()),
        (XLSX, office(f"{XLSX}.main+xml")),
        (PPTX, office(f"{PPTX}.main+xml")),
        (CSV, b"urn,value\n100001,3\n"),
        # Some of these begin as a binary file of a type that isn't accepted would.
        (CSV, b"BMI,value\n1,2\n"),
        (CSV, b"GIF89a,value\n1,2\n"),
        (TEXT, "Gr\u00fc\u00dfe aus K\u00f6ln".encode()),
        (TEXT, b"<html><script>alert(1)</script></html>"),
    ],
)
def test_a_file_that_is_what_it_is_said_to_be_is_accepted(said: str, content: bytes) -> None:
    assert check(said, content) == said
    assert check(None, content) == (TEXT if said == CSV else said)


def test_the_ending_of_a_name_says_a_type() -> None:
    names = ["a.PDF", "b.jpeg", "c.csv", "d.html", "e"]
    assert [type_of_name(name) for name in names] == [PDF, JPEG, CSV, None, None]


@pytest.mark.parametrize("content", [b"", b"MZ\x90\0 a program", b"a NUL \0 in it", office("application/x")])
def test_what_no_accepted_type_is_like_is_rejected_whatever_it_was_sent_as(content: bytes) -> None:
    with pytest.raises(FileTypeNotAccepted):
        check(None, content)


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (PDF, PNG_FILE),
        (PNG, PDF_FILE),
        (TEXT, b"%PDF-1.7\nonly letters"),
        (CSV, PNG_FILE),
        (PDF, b"urn,value\n"),
        (DOCX, office(f"{XLSX}.main+xml")),
        (DOCX, b"PK\x03\x04 not a zip at all"),
        (TEXT, b"a NUL \0 in it"),
        (TEXT, "Gr\u00fc\u00dfe".encode("cp1252")),
        (TEXT, "cut off: \u00fc".encode()[:-1]),
        (PDF, b"MZ\x90\0 a program"),
        (PNG, b"GIF89a\0\x01"),
        (DOCX, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 an old .doc, or one with a password"),
    ],
)
def test_a_file_that_is_something_else_is_rejected(said: str, content: bytes) -> None:
    with pytest.raises(FileTypeNotAccepted):
        check(said, content)


@pytest.mark.parametrize(
    ("said", "content", "help_"),
    [
        (CSV, "urn,Schüler\n".encode("cp1252"), "CSV UTF-8"),
        (CSV, "urn,value\n".encode("utf-16"), "UTF-8"),
        (PDF, b"", "empty"),
        (CSV, b"", "empty"),
        (PDF, b"MZ\x90\0 a program", "Send PDF"),
    ],
)
def test_a_rejection_says_what_to_do(said: str, content: bytes, help_: str) -> None:
    with pytest.raises(FileTypeNotAccepted, match=help_):
        check(said, content)


MACRO_PART = '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'


@pytest.mark.parametrize(
    "content",
    [
        office("application/vnd.ms-word.document.macroEnabled.main+xml"),
        office("application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
        office(f"{DOCX}.main+xml", "word/vbaProject.bin"),
        office(f"{DOCX}.main+xml", "word/other.bin", more=MACRO_PART),
        office(f"{DOCX}.main+xml", "word/other.bin", more=MACRO_PART.replace('"', "'")),
    ],
)
def test_office_files_with_macros_are_rejected(content: bytes) -> None:
    with pytest.raises(FileTypeNotAccepted, match="macros"):
        check(DOCX, content)


@pytest.mark.parametrize(
    "content",
    [
        office(more=MACRO_PART.replace("vba", "v&#98;a")),
        office(more=f"<!-- {'x' * (1 << 20)} -->"),
    ],
)
def test_office_files_whose_list_of_parts_hides_something_are_rejected(content: bytes) -> None:
    with pytest.raises(FileTypeNotAccepted):
        check(DOCX, content)


class Watched(io.BytesIO):
    """Content that remembers the largest part that was read at once."""

    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.largest = max(self.largest, len(found))
        return found


def test_a_zip_with_a_long_directory_is_rejected_before_it_is_read() -> None:
    packed = io.BytesIO(office())
    with zipfile.ZipFile(packed, "a") as archive:
        for number in range(60):
            archive.writestr(f"{number}-{'x' * 60_000}", b"")
    content = Watched(packed.getvalue())
    with pytest.raises(FileTypeNotAccepted):
        check_type(DOCX, content, is_text=False)
    assert len(content.getvalue()) > 7_000_000
    assert content.largest < 3_000_000


def test_a_name_gets_an_ending_that_fits_its_type() -> None:
    assert with_ending("Minutes.PDF", PDF) == "Minutes.PDF"
    assert with_ending("photo.jpeg", JPEG) == "photo.jpeg"
    assert with_ending("page.html", TEXT) == "page.html.txt"
    assert with_ending("budget.xlsm", XLSX) == "budget.xlsm.xlsx"
