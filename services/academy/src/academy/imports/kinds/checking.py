"""Gathers what is wrong with a batch of rows, and finds keys that a file gives twice."""

from collections.abc import Callable, Sequence
from typing import Final

import polars as pl

from academy.imports.kinds.cells import Parsed, Unreadable, shown
from academy.imports.kinds.reading import MOST_ERRORS_KEPT, RowError

LOWEST_URN: Final = 10_000
HIGHEST_URN: Final = 9_999_999


class Checker:
    """The faults of one batch of rows. `faulty` marks the rows that have any."""

    def __init__(self, rows: pl.Series) -> None:
        self.rows = rows
        self.faulty = pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, len(rows))
        self.total = 0
        self._errors: list[RowError] = []

    def note(self, column: str, parsed: Parsed) -> pl.Series:
        """Note the faults of a column that was read; gives its values."""
        if parsed.faults:
            self.total += int(parsed.faulty.sum())
            self.faulty = self.faulty | parsed.faulty
            for place, fault in parsed.faults:
                self._add(place, column, fault)
        return parsed.values

    def refuse(self, column: str | None, where: pl.Series, code: str, detail: Callable[[int], str]) -> None:
        """Note a fault in the rows where the mask is true (null counts as false)."""
        where = where.fill_null(value=False)
        count = int(where.sum())
        if count:
            self.total += count
            self.faulty = self.faulty | where
            for place in where.arg_true().head(MOST_ERRORS_KEPT):
                self._add(place, column, Unreadable(code, detail(place)))

    def ragged(self, errors: Sequence[RowError]) -> None:
        """Note rows that the sheet itself found faulty."""
        if errors:
            self.total += len(errors)
            self.faulty = self.faulty | self.rows.is_in([e.row for e in errors if e.row is not None])
            self._errors.extend(errors[:MOST_ERRORS_KEPT])

    def _add(self, place: int, column: str | None, fault: Unreadable) -> None:
        self._errors.append(RowError(int(self.rows[place]), column, fault.code, fault.detail))

    def errors(self) -> list[RowError]:
        """The first faults in the order of the rows."""
        ordered = sorted(self._errors, key=lambda error: (error.row or 0, error.column or ""))
        return ordered[:MOST_ERRORS_KEPT]

    def urns(self, column: str, cells: pl.Series, parsed: Parsed, *, required: bool = True) -> pl.Series:
        """Note what is wrong with a column of URNs; gives them as numbers."""
        urns = self.note(column, parsed)
        if required:
            missing = urns.is_null() & ~parsed.faulty
            self.refuse(column, missing, "urn-missing", lambda _: "The row has no URN.")
        outside = (urns < LOWEST_URN) | (urns > HIGHEST_URN)
        self.refuse(column, outside, "urn-invalid", lambda place: f"{shown(str(cells[place]))} is no URN.")
        return urns


class Seen:
    """The keys of a file so far, as hashes: 12 bytes a row, so that millions of rows fit.

    Two different keys would have to share a 64-bit hash to be taken for one: at ten million rows the odds are
    about one in 400,000 that a file is refused without cause.
    """

    def __init__(self, meaning: str) -> None:
        self._meaning = meaning
        self._parts: list[pl.DataFrame] = []

    def add(self, keys: pl.DataFrame, rows: pl.Series) -> None:
        """Take in the keys of a batch and their rows."""
        self._parts.append(pl.DataFrame({"key": keys.hash_rows(seed=7), "row": rows}))

    def repeated(self) -> tuple[list[RowError], int]:
        """The first faults and how many there are: each row whose key an earlier one has given."""
        if not self._parts:
            return [], 0
        keys = pl.concat(self._parts)
        if keys["key"].n_unique() == keys.height:
            return [], 0
        again = (
            keys.filter(keys["key"].is_duplicated())
            .with_columns(pl.col("row").min().over("key").alias("first"))
            .filter(pl.col("row") > pl.col("first"))
            .sort("row")
        )
        errors = [
            RowError(row, None, "key-repeated", f"Row {row} repeats row {first}: same {self._meaning}.")
            for _, row, first in again.head(MOST_ERRORS_KEPT).iter_rows()
        ]
        return errors, again.height
