"""From a file to plain tables on disk: read, validated as a whole, and laid out for COPY, before the database is asked.

So a file that is refused costs the database nothing, and the transaction that applies one holds nobody up with
reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.formats.kinds import read_batches
from academy.imports.formats.reading import SCHEMAS, Reading, RowError, copy_csv
from kit.ids import tenant_id

_TYPES: Final = {
    pl.Int16: "integer",
    pl.Int32: "integer",
    pl.Float64: "numeric",
    pl.Date: "date",
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

    @property
    def incoming(self) -> str:
        """Name of the temporary table."""
        return f"incoming_{self.name}"


@dataclass(slots=True)
class Staged:
    """A file that was read: what it says about itself, and its tables."""

    reading: Reading = field(default_factory=Reading)
    tables: dict[str, StagedTable] = field(default_factory=dict)


class Stopped(Exception):
    """The import isn't running any more."""


def stage(
    path: Path,
    folder: Path,
    *,
    kind: str,
    academic_year: str | None,
    release: str,
    academies: Collection[int] | None,
    latest_year: str,
    progress: Callable[[float, int], bool],
) -> Staged:
    """Read the plain file at `path` and lay its rows out in `folder`.

    Figures of years after `latest_year` are faults. `academies` are the only ones that figures may be about (None for
    all). `progress` is told the part that has been read and the rows so far; when it says False, Stopped is raised.
    What is wrong with the file is in `reading.errors`, and then there are no tables.
    """
    staged = Staged()
    foreign: set[int] = set()
    for batch in read_batches(kind, path, academic_year=academic_year, release=release, latest_year=latest_year):
        staged.reading.add(batch)
        if not progress(batch.done, staged.reading.rows_read):
            raise Stopped
        if staged.reading.is_valid:
            if academies is not None:
                _refuse_foreign(staged.reading, batch, academies, foreign)
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


def _refuse_foreign(reading: Reading, batch: Reading, academies: Collection[int], told: set[int]) -> None:
    """Figures of academies that the sender's grant doesn't cover keep the file out."""
    for name in _FIGURES:
        if name in batch.frames:
            new = set(batch.frames[name]["urn"].unique().to_list()) - set(academies) - told
            told |= new
            reading.refuse(
                RowError(None, "urn", "academy-not-yours", f"Your grant doesn't cover the academy {urn}.")
                for urn in sorted(new)
            )


def _type(table: str, column: str) -> str:
    if column == "register_id":
        return "uuid"
    if column == "judgements":
        return "jsonb"
    return _TYPES[type(SCHEMAS[table][column])]
