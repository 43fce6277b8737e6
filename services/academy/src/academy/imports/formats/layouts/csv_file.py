"""A CSV file, read in batches of text: encodings, headers, quoting and ragged rows are settled here."""

import codecs
import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from academy.imports.formats.cells.values import MOST_SHOWN, shown
from academy.imports.formats.layouts.records import (
    BLOCK,
    LONGEST_RECORD,
    end_of_record,
    record_blocks,
    refuse_endless,
)
from academy.imports.formats.reading import Column, FileRefused, ReadingWarning, RowError, is_gzip

MOST_COLUMNS: Final = 4096
"""The widest published table has some hundreds; every block of rows is laid out with all columns of the header."""

_BLANK: Final = b" \t\r\n,;"
_ENDS: Final = b",\r\n"
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
        head = file.read(4)
        if not size:
            raise FileRefused("file-empty", "The file is empty.")
        if is_gzip(head):
            raise FileRefused("packed-twice", "The file is still gzipped after it was unpacked once.")
        if head.startswith(_UTF16):
            raise FileRefused("encoding-utf16", "The file is UTF-16. Save it as CSV UTF-8 and send it again.")
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
        raise FileRefused("encoding", "The file is neither UTF-8 nor Windows-1252.")
    return "utf-8" if is_utf8 else "cp1252"


def check_text(block: bytes, encoding: str, line: int) -> None:
    """Raise FileRefused when whole lines, of which the first is `line`, hold a NUL or aren't in this
    encoding."""
    nul = block.find(b"\0")
    if nul >= 0:
        at = line + block.count(b"\n", 0, nul)
        raise FileRefused("nul-byte", f"Line {at} holds a NUL byte; this is no text file.", row=at)
    if encoding == "utf-8" and not block.isascii():
        try:
            codecs.utf_8_decode(block, "strict", True)
        except UnicodeDecodeError as error:
            at = line + block.count(b"\n", 0, error.start)
            detail = f"Line {at} is not UTF-8. Save the file as CSV UTF-8 and send it again."
            raise FileRefused("encoding", detail, row=at) from error


class CsvFile:
    """A CSV file with a header. Column names are matched without regard to case and spacing.

    Raises FileRefused when there is no header, or nothing separates its columns by commas.
    """

    def __init__(self, path: Path, *, may_be_cp1252: bool) -> None:
        self._text = open_text(path, may_be_cp1252=may_be_cp1252)
        self.warnings: list[ReadingWarning] = []
        self.errors: list[RowError] = []
        self.header, self._data_start, self._first_row, self._first_line = self._read_header()
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self.header):
            self._places[name.casefold()].append(place)

    def _read_header(self) -> tuple[tuple[str, ...], int, int, int]:
        with self._text.path.open("rb") as file:
            file.seek(self._text.start)
            head = file.read(LONGEST_RECORD)
        if b"\n" not in head and b"\r" in head:
            detail = "Lines end as on old Macs (CR). Save the file with ordinary line ends."
            raise FileRefused("line-ends", detail)
        blank = len(head) - len(head.lstrip(_BLANK))
        if blank == len(head):
            raise FileRefused("header-missing", "The file has no header: every line is empty.")
        begin = head.rfind(b"\n", 0, blank) + 1
        row = head.count(b"\n", 0, begin) + 1
        end = end_of_record(head, begin)
        if end == len(head) == LONGEST_RECORD < self._text.size - self._text.start:
            refuse_endless(row, LONGEST_RECORD, is_open=head.count(b'"', begin) % 2 == 1)
        check_text(head[begin:end], self._text.encoding, row)
        line = head[begin:end].decode(self._text.encoding)
        try:
            names = next(csv.reader(io.StringIO(line, newline="")))
        except csv.Error as error:
            raise FileRefused("header-malformed", f"The header can't be read: {error}.", row=row) from error
        if len(names) == 1 and any(mark in line for mark in ";\t|"):
            detail = "The columns aren't separated by commas. Save the file as comma-separated CSV."
            raise FileRefused("delimiter", detail, row=row)
        if len(names) > MOST_COLUMNS:
            detail = f"The header has {len(names)} columns; a file may have {MOST_COLUMNS}."
            raise FileRefused("columns-too-many", detail, row=row)
        header = tuple(" ".join(name.split()) for name in names)
        return header, self._text.start + end, row + 1, head.count(b"\n", 0, end) + 1

    def find(self, column: Column) -> int | None:
        """The place of a column, by its name or an alias; None when the file hasn't got it."""
        for name in (column.name, *column.aliases):
            places = self._places.get(name.casefold(), [])
            if len(places) > 1:
                detail = f"The header names {name!r} twice (columns {places[0] + 1} and {places[1] + 1})."
                raise FileRefused("column-duplicated", detail, row=self._first_row - 1, column=name)
            if places:
                return places[0]
        return None

    def choose(self, columns: Iterable[Column], *, known: Sequence[str] = ()) -> dict[str, int]:
        """Where each column is that the file has. Notes the others: an error for all missing required ones, a
        warning for those that nobody knows (`known` are names that are read past on purpose)."""
        columns = tuple(columns)
        chosen = {c.name: place for c in columns if (place := self.find(c)) is not None}
        missing = [c.name for c in columns if c.required and c.name not in chosen]
        self.errors.extend(
            RowError(self._first_row - 1, name, "column-missing", f"The required column {name!r} is missing.")
            for name in missing
        )
        skipped = {name.casefold() for name in known}
        taken = set(chosen.values())
        unknown = [
            name
            for place, name in enumerate(self.header)
            if name and place not in taken and name.casefold() not in skipped
        ]
        self.warnings.extend(unknown_columns(unknown))
        return chosen

    def batches(self, chosen: dict[str, int]) -> Iterator[tuple[pl.DataFrame, list[RowError], float]]:
        """The chosen columns as text, with `row`; beside each batch its ragged rows and the part of the file
        read.

        Empty cells are null. Rows whose chosen cells are all empty are left out.
        """
        row = self._first_row
        places = sorted(chosen.values())
        names = {str(place): name for name, place in chosen.items()}
        for block, done in self._blocks(len(places)):
            if not block[:99].strip(_ENDS) and not block.strip(_ENDS):
                row += block.count(b"\n")
                continue
            check_text(block, self._text.encoding, row)
            frame, errors = self._parse(block, places, row)
            frame = frame.with_columns(pl.int_range(row, row + frame.height, dtype=pl.UInt32).alias("row"))
            row += frame.height
            frame = frame.rename(names)
            if not any(_is_full(frame[name]) for name in chosen):
                cells = pl.col(list(chosen))
                frame = frame.filter(pl.any_horizontal(cells.is_not_null() & (cells != "")))
            yield frame, errors, done

    def _blocks(self, columns: int) -> Iterator[tuple[bytes, float]]:
        size = max(self._text.size, 1)
        with self._text.path.open("rb") as file:
            file.seek(self._data_start)
            for block in record_blocks(file, columns, line=self._first_line):
                yield block.text, block.end / size

    def _parse(self, block: bytes, places: list[int], row: int) -> tuple[pl.DataFrame, list[RowError]]:
        if self._text.encoding != "utf-8":
            block = block.decode(self._text.encoding).encode()
        width = len(self.header)
        header = ",".join(map(str, range(width))).encode() + b"\n"
        try:
            frame = pl.read_csv(io.BytesIO(header + block), infer_schema=False, columns=places, raise_if_empty=False)
        except pl.exceptions.PolarsError:
            # Rows with too many cells, or quotation marks inside a cell: the slow reader finds them.
            return _parse_slowly(block, places, width, row)
        return frame, []


def _parse_slowly(block: bytes, places: list[int], width: int, row: int) -> tuple[pl.DataFrame, list[RowError]]:
    errors: list[RowError] = []
    cells: list[list[str | None]] = []
    csv.field_size_limit(LONGEST_RECORD)
    try:
        for number, record in enumerate(csv.reader(io.StringIO(block.decode(), newline="")), row):
            if any(cell.strip() for cell in record[width:]):
                detail = f"The row has {len(record)} cells, the header {width}."
                errors.append(RowError(number, None, "row-too-long", detail))
            cells.append([record[i] or None if i < len(record) else None for i in places])
    except csv.Error as error:
        raise FileRefused("csv-malformed", f"Row {row + len(cells)}: {error}.", row=row + len(cells)) from error
    schema = {str(place): pl.String for place in places}
    return pl.DataFrame(cells, schema=schema, orient="row"), errors


def _is_full(cells: pl.Series) -> bool:
    return cells.null_count() == 0 and not (cells == "").any()


def unknown_columns(names: Sequence[str]) -> Iterator[ReadingWarning]:
    """A warning for each column that isn't read, or one that names them all when they are many."""
    if len(names) <= 20:
        for name in names:
            detail = f"The column {shown(name)} is not known and was left out."
            yield ReadingWarning(name[:MOST_SHOWN], "column-unknown", detail)
    else:
        listed = ", ".join(name[:MOST_SHOWN] for name in names[:1000])
        detail = f"{len(names)} columns are not read and were left out: {listed}."
        yield ReadingWarning(None, "columns-unknown", detail)
