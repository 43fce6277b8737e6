"""From a file to CSVs on disk: read, validated as a whole, and laid out for COPY, before the database is used.

So a file that is rejected costs the database nothing, and the transaction that applies one doesn't wait for reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.kinds import read_batches
from academy.imports.formats.reading import SCHEMAS, Reading, Request, RowError, copy_csv
from academy.imports.tables import Import
from kit.ids import tenant_id
from sector.years import academic_year_on

_TYPES: Final = {
    pl.Int16: "integer",
    pl.Int32: "integer",
    pl.Float64: "numeric",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.String: 'text collate "C"',
}
_FIGURES: Final = ("observations",)


@dataclass(frozen=True, slots=True)
class StagedTable:
    """The rows for one table, as CSV on disk."""

    name: str
    columns: tuple[str, ...]
    path: Path

    def create(self) -> str:
        """The statement that makes the temporary table for them, `incoming_<name>`."""
        columns = ", ".join(f"{column} {_type(self.name, column)}" for column in self.columns)
        return f"create temp table {self.incoming} ({columns}) on commit drop"

    def add(self, column: str) -> str:
        """The statement that adds a column to it that the file hasn't got."""
        return f"alter table {self.incoming} add column {column} {_type(self.name, column)}"

    @property
    def incoming(self) -> str:
        """Name of the temporary table."""
        return f"incoming_{self.name}"


@dataclass(slots=True)
class Staged:
    """A file that was read: what it says about itself, and its tables."""

    reading: Reading = field(default_factory=Reading)
    tables: dict[str, StagedTable] = field(default_factory=dict)
    left_out: list[tuple[int | str, ...]] = field(default_factory=list)
    """Once applied: the keys of a trust's own figures that weren't stored, since the trust has erased their values."""


def stage(path: Path, folder: Path, sent: Import, today: date, progress: Callable[[float, int], None]) -> Staged:
    """Read the plain file at `path`, of the import `sent`, and lay its rows out in `folder`.

    Figures of years after that of `today` are errors, and so are inspections of later days, and figures of academies
    that the import may not be about.
    `progress` is called with the part that has been read (0 to 1) and the rows so far; what it raises ends the reading.
    What is wrong with the file is in `reading.errors`, and then there are no tables.
    """
    staged = Staged()
    covered = None if sent.academies is None else frozenset(sent.academies)
    foreign: set[int] = set()
    request = Request(sent.academic_year, academic_year_on(today), today)
    for batch in read_batches(sent.kind, path, request):
        staged.reading.add(batch)
        progress(batch.done, staged.reading.rows_read)
        if staged.reading.is_valid:
            if covered is not None:
                _refuse_foreign(staged.reading, batch, covered, foreign)
            for name, frame in batch.frames.items():
                _append(staged, folder, name, frame)
    if not staged.reading.is_valid:
        staged.tables.clear()
    return staged


def _append(staged: Staged, folder: Path, name: str, frame: pl.DataFrame) -> None:
    if "group_uid" in frame.columns:
        # The id of a trust is derived from its Group UID, which the database can't do itself.
        ids = {uid: str(tenant_id(f"gias-group:{uid}")) for uid in frame["group_uid"].unique().to_list()}
        frame = frame.with_columns(pl.col("group_uid").replace_strict(ids, return_dtype=pl.String).alias("register_id"))
    table = staged.tables.setdefault(name, StagedTable(name, tuple(frame.columns), folder / f"{name}.csv"))
    if tuple(frame.columns) != table.columns:
        raise ValueError(f"batches of {name} differ in columns: {table.columns} and {tuple(frame.columns)}")
    with table.path.open("ab") as file:
        file.write(copy_csv(frame))


def _refuse_foreign(reading: Reading, batch: Reading, covered: frozenset[int], known: set[int]) -> None:
    """Figures of academies that the sender's grant doesn't cover keep the file out."""
    for name in _FIGURES:
        if name in batch.frames:
            new = set(batch.frames[name]["urn"].unique().to_list()) - covered - known
            known |= new
            reading.refuse(
                RowError(None, "urn", RowCode.ACADEMY_NOT_YOURS, f"Your grant doesn't cover the academy {urn}.")
                for urn in sorted(new)
            )


def _type(table: str, column: str) -> str:
    if column == "register_id":
        return "uuid"
    if column in ("judgements", "graded_on"):
        return "jsonb"
    if column in ("stated", "dated"):
        return "text[]"
    return _TYPES[type(SCHEMAS[table][column])]
