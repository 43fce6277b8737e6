"""NDJSON: blocks of objects, one a line, as rows of text such as a CSV would hold."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from academy.imports.formats.cells.values import shown
from academy.imports.formats.layouts.csv_file import LONGEST_RECORD, check_text, open_text, read_blocks, unknown_columns
from academy.imports.formats.reading import Column, FileRefused, ReadingWarning, RowError
from kit.names import repeated_name

SAMPLED: Final = 16 << 10
"""Keys that nobody knows are looked for in a line every so many bytes: in every line it would take as long as
reading."""


class NdjsonFile:
    """An NDJSON file. Raises FileRefused when it isn't UTF-8 text."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._text = open_text(path, may_be_cp1252=False)
        self._columns = columns
        self._schema = {column.name: pl.String() for column in columns}
        self._known = {name for column in columns for name in (column.name, *column.aliases)}
        self._has_aliases = tuple(f'"{name}"'.encode() for column in columns for name in column.aliases)
        self._strange: list[str] = []

    def warnings(self) -> list[ReadingWarning]:
        """The keys met so far that nobody knows."""
        return list(unknown_columns(self._strange))

    def batches(self) -> Iterator[tuple[pl.DataFrame, list[RowError], float]]:
        """The objects as text by column, with `row` (their lines); beside each batch its faulty lines and
        the part of the file read. A line that is no object has a row without any cell."""
        line, rest, size = 1, b"", max(self._text.size, 1)
        with self._text.path.open("rb") as file:
            file.seek(self._text.start)
            for read, position in read_blocks(file, len(self._columns)):
                block = rest + read
                cut = block.rfind(b"\n") + 1
                block, rest = block[:cut], block[cut:]
                lines = block.count(b"\n")
                if block and not block.isspace():
                    yield *self._objects(block, line, lines), (position - len(rest)) / size
                line += lines
                if len(rest) > LONGEST_RECORD:
                    detail = f"Line {line} is longer than {LONGEST_RECORD >> 20} MiB."
                    raise FileRefused("line-too-long", detail, row=line)
        if rest.strip():
            yield *self._objects(rest + b"\n", line, 1), 1.0

    def _objects(self, block: bytes, line: int, lines: int) -> tuple[pl.DataFrame, list[RowError]]:
        check_text(block, "utf-8", line)
        self._look_for_strange_keys(block)
        if not any(alias in block for alias in self._has_aliases):
            try:
                frame = pl.read_ndjson(block, schema=self._schema).rechunk()
            except pl.exceptions.PolarsError:
                pass  # the slow reader finds the lines that are wrong
            else:
                if frame.height == lines:
                    rows = pl.int_range(line, line + frame.height, dtype=pl.UInt32, eager=True)
                    return frame.with_columns(rows.alias("row")), _repeated_names(block, frame, line)
        return self._slowly(block.split(b"\n"), line)

    def _look_for_strange_keys(self, block: bytes) -> None:
        start = 0
        while start < len(block):
            end = block.find(b"\n", start) + 1 or len(block)
            try:
                item = orjson.loads(block[start:end])
            except orjson.JSONDecodeError:
                item = None
            if isinstance(item, dict):
                self._strange.extend(k for k in item if k not in self._known and k not in self._strange)
            start = block.find(b"\n", end + SAMPLED) + 1 or len(block)

    def _slowly(self, lines: list[bytes], line: int) -> tuple[pl.DataFrame, list[RowError]]:
        wrong: list[RowError] = []
        columns: dict[str, list[str | None]] = {name: [] for name in self._schema}
        numbers: list[int] = []
        for number, text in enumerate(lines, line):
            if not text.strip():
                continue
            numbers.append(number)
            try:
                item = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                wrong.append(RowError(number, None, "json-malformed", f"The line is not JSON: {error.msg}."))
                item = {}
            if not isinstance(item, dict):
                wrong.append(RowError(number, None, "not-an-object", "The line is not an object."))
                item = {}
            elif item and text.count(b":") > len(item) and (again := repeated_name(text)) is not None:
                wrong.append(_twice(number, again))
            for column in self._columns:
                value = next((item[n] for n in (column.name, *column.aliases) if n in item), None)
                if isinstance(value, dict | list | bool):
                    detail = f"{column.name} holds neither a number nor text."
                    wrong.append(RowError(number, column.name, "not-a-value", detail))
                    value = None
                columns[column.name].append(None if value is None else str(value))
        rows = pl.Series("row", numbers, dtype=pl.UInt32)
        return pl.DataFrame([rows, *(pl.Series(n, v, dtype=pl.String) for n, v in columns.items())]), wrong


def _repeated_names(block: bytes, frame: pl.DataFrame, line: int) -> list[RowError]:
    """The lines of these objects that give a name twice, of which the frame has one value.

    A line has a colon at least for each name. Where a block has no more colons than its frame has values,
    none is left for a second one; else the lines that have more are looked into.
    """
    if block.count(b":") == sum(frame.height - frame[name].null_count() for name in frame.columns):
        return []
    lines = block.split(b"\n")
    values = frame.select(pl.sum_horizontal(pl.all().is_not_null())).to_series().to_list()
    return [
        _twice(number, again)
        for number, (text, known) in enumerate(zip(lines, values, strict=False), line)
        if (colons := text.count(b":")) > known
        and colons > len(orjson.loads(text))
        and (again := repeated_name(text)) is not None
    ]


def _twice(row: int, name: str) -> RowError:
    return RowError(row, None, "name-repeated", f"The name {shown(name)} stands twice in one object.")
