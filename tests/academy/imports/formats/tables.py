"""Help for the tests of kinds: where the real extracts are, the csv module's view of them, and small
files."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from academy.imports.formats.kinds import read_batches
from academy.imports.formats.reading import SCHEMAS, Reading, Request

DATA = Path(__file__).parents[1] / "data"


class WholeReading(Reading):
    """A file that was read whole."""

    def frame(self, table: str) -> pl.DataFrame:
        """The rows for this table, with its full schema's types; no rows when the file has none."""
        found = self.frames.get(table)
        return pl.DataFrame(schema=dict(SCHEMAS[table])) if found is None else found


def records(name: str) -> list[dict[str, str]]:
    """The rows of an extract by column name, as the csv module reads them; short rows end with empty
    cells."""
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return [{key: value or "" for key, value in row.items() if key} for row in csv.DictReader(file)]


def items(name: str) -> list[dict[str, Any]]:
    """The objects of a JSON extract."""
    found: list[dict[str, Any]] = json.loads((DATA / name).read_text(encoding="utf-8-sig"))
    return found


def read_file(
    kind: str, path: Path, *, academic_year: str | None, latest_year: str | None = None, today: date | None = None
) -> WholeReading:
    """An unpacked file, read whole."""
    whole = WholeReading()
    pieces: dict[str, list[pl.DataFrame]] = {}
    for batch in read_batches(kind, path, Request(academic_year, latest_year, today)):
        whole.add(batch)
        for table, frame in batch.frames.items():
            pieces.setdefault(table, []).append(frame)
    whole.frames = {table: pl.concat(frames) for table, frames in pieces.items()}
    return whole


def reading(kind: str, name: str, year: str | None = None) -> WholeReading:
    """An extract, read; it must be valid."""
    found = read_file(kind, DATA / name, academic_year=year)
    assert found.errors == []
    assert found.done == 1.0
    assert found.rows_read == found.rows_accepted + found.rows_ignored
    return found


def csv_file(folder: Path, rows: Sequence[Mapping[str, str]] | str, name: str = "file.csv") -> Path:
    """A small file out of rows, or out of its text."""
    path = folder / name
    if isinstance(rows, str):
        path.write_text(rows, encoding="utf-8", newline="")
        return path
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def one(frame: pl.DataFrame, **where: object) -> dict[str, Any]:
    """The only row that has these values."""
    found = frame.filter(**where) if where else frame
    assert found.height == 1, found
    return found.row(0, named=True)


def codes(found: Reading) -> list[tuple[int | None, str | None, str]]:
    """Row, column and code of each error."""
    return [(error.row, error.column, error.code) for error in found.errors]


def number(cell: str) -> float | None:
    """A cell's number, read independently of the code under test; None for a symbol or an empty cell."""
    try:
        return float(cell.strip().rstrip("%").replace(",", ""))
    except ValueError:
        return None


def count(rows: Iterable[Mapping[str, str]], **cells: str) -> int:
    """How many rows have these cells."""
    return sum(all(row[key].strip() == cell for key, cell in cells.items()) for row in rows)
