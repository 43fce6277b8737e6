"""A CSV file, read in batches of text: encodings, headers, quoting and ragged rows are settled here."""

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.values import MOST_SHOWN, shown
from academy.imports.formats.layouts.headers import (
    cells_of_last_line,
    is_separator_line,
    plain_name,
    row_of_header,
)
from academy.imports.formats.layouts.records import (
    LONGEST_RECORD,
    end_of_record,
    record_blocks,
    refuse_endless,
)
from academy.imports.formats.layouts.text_file import check_text, open_text
from academy.imports.formats.reading import Column, FileRefused, ReadingWarning, RowError

MOST_COLUMNS: Final = 4096
"""The widest published table has some hundreds; every block of rows is laid out with all columns of the header."""

SEARCHED: Final = 256 << 10
"""A header that isn't in the first row is looked for in so much text."""
MOST_NAMELESS: Final = 50
"""In so many columns without a name it is looked for text."""

_BLANK: Final = b" \t\r\n,;"
_ENDS: Final = b",\r\n"


class CsvFile:
    """A CSV file with a header. Column names are matched without regard to case and spacing; where a name isn't there
    so, also without regard to blanks, underscores and hyphens.

    Raises FileRefused when there is no header; `choose` does when it is further down, or not parted by commas.
    """

    def __init__(self, path: Path, *, may_be_cp1252: bool) -> None:
        self._text = open_text(path, may_be_cp1252=may_be_cp1252)
        self.warnings: list[ReadingWarning] = []
        self.errors: list[RowError] = []
        self._has_other_separators = False
        self._last_cells: int | None = None
        self._is_ended = True
        self._nameless: dict[int, int] = {}
        self.header, self._data_start, self._first_row, self._first_line = self._read_header()
        self._places: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self.header):
            self._places[name.casefold()].append(place)
        self._alike: dict[str, list[int]] = defaultdict(list)
        for place, name in enumerate(self.header):
            self._alike[plain_name(name)].append(place)

    def _read_header(self) -> tuple[tuple[str, ...], int, int, int]:
        with self._text.path.open("rb") as file:
            file.seek(self._text.start)
            head = file.read(LONGEST_RECORD)
        if b"\n" not in head and b"\r" in head:
            detail = "Lines end as on old Macs (CR). Save the file with ordinary line ends."
            raise FileRefused(RowCode.LINE_ENDS, detail)
        begin = _first_line_with_text(head, 0)
        end = end_of_record(head, begin)
        if is_separator_line(head[begin:end]):
            detail = "The first line is an instruction for spreadsheets (sep=,) and was passed over."
            self.warnings.append(ReadingWarning(None, RowCode.SEPARATOR_LINE, detail))
            begin = _first_line_with_text(head, end)
            end = end_of_record(head, begin)
        row = head.count(b"\n", 0, begin) + 1
        if end == len(head) == LONGEST_RECORD < self._text.size - self._text.start:
            refuse_endless(row, LONGEST_RECORD, is_open=head.count(b'"', begin) % 2 == 1)
        check_text(head[begin:end], self._text.encoding, row)
        line = head[begin:end].decode(self._text.encoding)
        try:
            names = next(csv.reader(io.StringIO(line, newline="")))
        except csv.Error as error:
            raise FileRefused(RowCode.HEADER_MALFORMED, f"The header can't be read: {error}.", row=row) from error
        self._has_other_separators = len(names) == 1 and any(mark in line for mark in ";\t|")
        if len(names) > MOST_COLUMNS:
            detail = f"The header has {len(names)} columns; a file may have {MOST_COLUMNS}."
            raise FileRefused(RowCode.COLUMNS_TOO_MANY, detail, row=row)
        header = tuple(" ".join(name.split()) for name in names)
        return header, self._text.start + end, row + 1, head.count(b"\n", 0, end) + 1

    def find(self, column: Column) -> int | None:
        """The place of a column, by its name or an alias; None when the file hasn't got it."""
        for name in (column.name, *column.aliases):
            if (place := self._only(name, self._places.get(name.casefold(), []))) is not None:
                return place
        return None

    def _find_alike(self, column: Column, taken: Collection[int]) -> int | None:
        """The place of a column that is spelled otherwise, and that isn't another one."""
        for name in (column.name, *column.aliases):
            places = [place for place in self._alike.get(plain_name(name), []) if place not in taken]
            if (place := self._only(name, places)) is not None:
                return place
        return None

    def _only(self, name: str, places: Sequence[int]) -> int | None:
        if len(places) > 1:
            detail = f"The header names {name!r} twice (columns {places[0] + 1} and {places[1] + 1})."
            raise FileRefused(RowCode.COLUMN_DUPLICATED, detail, row=self._first_row - 1, column=name)
        return places[0] if places else None

    def choose(self, columns: Iterable[Column], *, known: Sequence[str] = ()) -> dict[str, int]:
        """Where each column is that the file has. Notes the others: an error for all missing required ones, a
        warning for those that nobody knows (`known` are names that are read past on purpose)."""
        columns = tuple(columns)
        self._look_for_header(columns)
        chosen = {c.name: place for c in columns if (place := self.find(c)) is not None}
        skipped = {name.casefold() for name in known}
        others = {place for name in skipped for place in self._places.get(name, [])}
        for column in columns:
            if column.name not in chosen:
                place = self._find_alike(column, {*chosen.values(), *others})
                chosen |= {} if place is None else {column.name: place}
        missing = [c.name for c in columns if c.required and c.name not in chosen]
        self.errors.extend(
            RowError(self._first_row - 1, name, RowCode.COLUMN_MISSING, f"The required column {name!r} is missing.")
            for name in missing
        )
        taken = set(chosen.values())
        unknown = [
            name
            for place, name in enumerate(self.header)
            if name and place not in taken and name.casefold() not in skipped
        ]
        self.warnings.extend(unknown_columns(unknown))
        return chosen

    def _look_for_header(self, columns: Sequence[Column]) -> None:
        """Refuse a file whose header is further down, below a title or merged cells, or isn't parted by commas."""
        row = self._first_row - 1
        if any(self.find(c) is None and self._find_alike(c, ()) is None for c in columns if c.required):
            with self._text.path.open("rb") as file:
                file.seek(self._text.start)
                text = file.read(SEARCHED).decode(self._text.encoding, "replace")
            found = row_of_header(text, columns, after=row)
            if found is not None:
                detail = f"The header seems to stand in row {found}. Remove the rows above it and send the file again."
                raise FileRefused(RowCode.HEADER_ELSEWHERE, detail, row=found)
        if self._has_other_separators:
            detail = "The columns aren't separated by commas. Save the file as comma-separated CSV."
            raise FileRefused(RowCode.DELIMITER, detail, row=row)

    def last_warnings(self) -> Iterator[ReadingWarning]:
        """What was seen of the rows: a last line that is short or has no end, text in columns without a name."""
        width = len(self.header)
        if self._last_cells is not None and self._last_cells < width:
            detail = f"The last line has {self._last_cells} cells, the header {width}: the file may be cut off."
            yield ReadingWarning(None, RowCode.LAST_LINE_SHORT, detail)
        elif not self._is_ended:
            yield ReadingWarning(
                None, RowCode.LAST_LINE_OPEN, "The last line has no line end: the file may be cut off."
            )
        for place, times in self._nameless.items():
            detail = f"Column {place + 1} has no name in the header; what stands in it was left out."
            yield ReadingWarning(None, RowCode.COLUMN_NAMELESS, detail, times)

    def batches(self, chosen: dict[str, int]) -> Iterator[tuple[pl.DataFrame, list[RowError], float]]:
        """The chosen columns as text, with `row`; beside each batch its ragged rows and the part of the file
        read.

        Empty cells are null. Rows whose chosen cells are all empty are left out.
        """
        row = self._first_row
        taken = set(chosen.values())
        nameless = [place for place, name in enumerate(self.header) if not name and place not in taken][:MOST_NAMELESS]
        places = sorted([*chosen.values(), *nameless])
        names = {str(place): name for name, place in chosen.items()}
        for block, done in self._blocks(len(places)):
            if not block[:99].strip(_ENDS) and not block.strip(_ENDS):
                row += block.count(b"\n")
                continue
            check_text(block, self._text.encoding, row)
            self._last_cells = cells_of_last_line(block, self._text.encoding)
            self._is_ended = block.endswith(b"\n")
            frame, errors = self._parse(block, places, row)
            frame = frame.with_columns(pl.int_range(row, row + frame.height, dtype=pl.UInt32).alias("row"))
            row += frame.height
            for place in nameless:
                if times := int((frame[str(place)].fill_null("").str.strip_chars() != "").sum()):
                    self._nameless[place] = self._nameless.get(place, 0) + times
            frame = frame.drop(map(str, nameless)).rename(names)
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
                errors.append(RowError(number, None, RowCode.ROW_TOO_LONG, detail))
            cells.append([record[i] or None if i < len(record) else None for i in places])
    except csv.Error as error:
        raise FileRefused(RowCode.CSV_MALFORMED, f"Row {row + len(cells)}: {error}.", row=row + len(cells)) from error
    schema = {str(place): pl.String for place in places}
    return pl.DataFrame(cells, schema=schema, orient="row"), errors


def _first_line_with_text(head: bytes, after: int) -> int:
    text = len(head) - len(head[after:].lstrip(_BLANK))
    if text == len(head):
        raise FileRefused(RowCode.HEADER_MISSING, "The file has no header: every line is empty.")
    return max(head.rfind(b"\n", 0, text) + 1, after)


def _is_full(cells: pl.Series) -> bool:
    return cells.null_count() == 0 and not (cells == "").any()


def unknown_columns(names: Sequence[str]) -> Iterator[ReadingWarning]:
    """A warning for each column that isn't read, or one that names them all when they are more than a few."""
    if len(names) <= 3:
        for name in names:
            detail = f"The column {shown(name)} is not known and was left out."
            yield ReadingWarning(name[:MOST_SHOWN], RowCode.UNKNOWN_COLUMN, detail)
    else:
        listed = ", ".join(name[:MOST_SHOWN] for name in names[:1000])
        detail = f"{len(names)} columns are not read and were left out: {listed}."
        yield ReadingWarning(None, RowCode.UNKNOWN_COLUMNS, detail)
