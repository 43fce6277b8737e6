"""NDJSON: blocks of objects, one a line, as rows of text such as a CSV would hold."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.values import shown
from academy.imports.formats.layouts.csv_file import unknown_columns
from academy.imports.formats.layouts.headers import plain_name
from academy.imports.formats.layouts.records import line_blocks
from academy.imports.formats.layouts.text_file import check_text, open_text
from academy.imports.formats.reading import Column, ReadingWarning, RowError
from kit.names import repeated_name

SAMPLED: Final = 16 << 10
"""Keys that nobody knows are looked for in a line every so many bytes: in every line it would take as long as
reading."""

_NO_CELL: Final = re.compile(rb":\s*(?:true|false|\[|\{)")
"""Where a member may hold neither a number nor text; the fast parser makes text of it."""

MOST_STRANGE: Final = 1000
"""So many of them are kept."""


class NdjsonFile:
    """An NDJSON file. Names are matched without regard to case, blanks, underscores and hyphens.

    Raises FileRefused when it isn't UTF-8 text.
    """

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._text = open_text(path, may_be_cp1252=False)
        self._columns = columns
        self._names = {column.name: tuple(map(plain_name, (column.name, *column.aliases))) for column in columns}
        self._known = frozenset(name for names in self._names.values() for name in names)
        self._strange: dict[str, None] = {}

    def warnings(self) -> list[ReadingWarning]:
        """The keys met so far that nobody knows."""
        return list(unknown_columns(list(self._strange)))

    def batches(self) -> Iterator[tuple[pl.DataFrame, list[RowError], float]]:
        """The objects as text by column, with `row` (their lines); beside each batch its faulty lines and
        the part of the file read. A line that is no object has a row without any cell."""
        size = max(self._text.size, 1)
        with self._text.path.open("rb") as file:
            file.seek(self._text.start)
            for block in line_blocks(file, len(self._columns)):
                if not block.text.isspace():
                    yield *self._objects(block.text, block.line, block.text.count(b"\n")), block.end / size

    def _objects(self, block: bytes, line: int, lines: int) -> tuple[pl.DataFrame, list[RowError]]:
        check_text(block, "utf-8", line)
        self._look_for_strange_keys(block)
        spelled = self._spelled(block)
        try:
            # The parser takes names as they are spelled, and passes over all others.
            frame = pl.read_ndjson(block, schema=dict.fromkeys(spelled.values(), pl.String())).rechunk()
        except pl.exceptions.PolarsError:
            pass  # the slow reader finds the lines that are wrong
        else:
            if frame.height == lines and not (_NO_CELL.search(block) and _has_no_cells(frame)):
                frame = frame.rename({name: column for column, name in spelled.items()})
                wrong = self._repeated_names(block, frame, line, frozenset(spelled.values()))
                if wrong is not None:
                    rows = pl.int_range(line, line + frame.height, dtype=pl.UInt32, eager=True)
                    return frame.with_columns(rows.alias("row")), wrong
        return self._slowly(block.split(b"\n"), line)

    def _spelled(self, block: bytes) -> dict[str, str]:
        """How the first object of a block spells the name of each column."""
        try:
            first = orjson.loads(block[: block.find(b"\n") + 1])
        except orjson.JSONDecodeError:
            first = None
        there = {plain_name(name): name for name in first} if isinstance(first, dict) else {}
        return {
            column: next((there[name] for name in names if name in there), column)
            for column, names in self._names.items()
        }

    def _repeated_names(
        self, block: bytes, frame: pl.DataFrame, line: int, spelled: frozenset[str]
    ) -> list[RowError] | None:
        """The lines of these objects that give a name twice, of which the frame has one value; None when a line spells
        a name as the frame didn't look for it.

        A line has a colon at least for each name. Where a block has no more colons than its frame has values,
        none is left for a second one; else the lines that have more are looked into.
        """
        if block.count(b":") == sum(frame.height - frame[name].null_count() for name in frame.columns):
            return []
        wrong: list[RowError] = []
        values = frame.select(pl.sum_horizontal(pl.all().is_not_null())).to_series().to_list()
        for number, (text, known) in enumerate(zip(block.split(b"\n"), values, strict=False), line):
            if (colons := text.count(b":")) > known:
                try:
                    item = orjson.loads(text)
                except orjson.JSONDecodeError:
                    # The other parser takes deeper nesting.
                    return None
                if any(plain_name(name) in self._known for name in item.keys() - spelled):
                    return None
                if colons > len(item) and (again := repeated_name(text)) is not None:
                    wrong.append(_twice(number, again))
        return wrong

    def _look_for_strange_keys(self, block: bytes) -> None:
        start = 0
        while start < len(block):
            end = block.find(b"\n", start) + 1 or len(block)
            try:
                item = orjson.loads(block[start:end])
            except orjson.JSONDecodeError:
                item = None
            if isinstance(item, dict):
                self._strange.update(dict.fromkeys(name for name in item if plain_name(name) not in self._known))
            if len(self._strange) >= MOST_STRANGE:
                return
            start = block.find(b"\n", end + SAMPLED) + 1 or len(block)

    def _slowly(self, lines: list[bytes], line: int) -> tuple[pl.DataFrame, list[RowError]]:
        wrong: list[RowError] = []
        columns: dict[str, list[str | None]] = {column.name: [] for column in self._columns}
        numbers: list[int] = []
        for number, text in enumerate(lines, line):
            if not text.strip():
                continue
            numbers.append(number)
            try:
                item = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                wrong.append(RowError(number, None, RowCode.JSON_MALFORMED, f"The line is not JSON: {error.msg}."))
                item = {}
            if not isinstance(item, dict):
                wrong.append(RowError(number, None, RowCode.NOT_AN_OBJECT, "The line is not an object."))
                item = {}
            elif item and text.count(b":") > len(item) and (again := repeated_name(text)) is not None:
                wrong.append(_twice(number, again))
            cells: dict[str, Any] = {}
            for name, value in item.items():
                if plain_name(name) in cells and plain_name(name) in self._known:
                    wrong.append(_twice(number, name))
                cells[plain_name(name)] = value
            for column, names in self._names.items():
                value = next((cells[name] for name in names if name in cells), None)
                if isinstance(value, dict | list | bool):
                    detail = f"{column} holds neither a number nor text."
                    wrong.append(RowError(number, column, RowCode.NOT_A_VALUE, detail))
                    value = None
                columns[column].append(None if value is None else str(value))
        rows = pl.Series("row", numbers, dtype=pl.UInt32)
        return pl.DataFrame([rows, *(pl.Series(n, v, dtype=pl.String) for n, v in columns.items())]), wrong


def _has_no_cells(frame: pl.DataFrame) -> bool:
    """True where a cell reads like a boolean, a list or an object: whether it is one the slow reader finds out."""
    return any(bool(cells.str.contains(r"^(true|false|\[.*|\{.*)$").any()) for cells in frame)


def _twice(row: int, name: str) -> RowError:
    return RowError(row, None, RowCode.NAME_REPEATED, f"The name {shown(name)} stands twice in one object.")
