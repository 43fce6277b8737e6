"""Rows of one membership that is both stated and cancelled: the file doesn't say which of them counts."""

from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.reading import MOST_ERRORS_KEPT, Reading, RowError

MEMBERSHIP: Final = ("urn", "group_uid", "joined_on")


class Cancellations:
    """The memberships of one file, gathered over its batches, and whether a row cancels them."""

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []

    def add(self, links: pl.DataFrame, rows: pl.Series) -> None:
        """Take in a batch with `urn`, `group_uid`, `joined_on` and `is_cancelled`, and the numbers of its rows."""
        part = links.select(*MEMBERSHIP, "is_cancelled").with_columns(rows.alias("row"))
        self._parts.append(part.drop_nulls(MEMBERSHIP))

    def report(self, reading: Reading) -> None:
        """Note each row that cancels what an earlier one states, or states what an earlier one cancels."""
        if not self._parts:
            return
        links = pl.concat(self._parts)
        other = links.group_by(*MEMBERSHIP, "is_cancelled").agg(pl.col("row").min().alias("first"))
        other = other.with_columns(~pl.col("is_cancelled"))
        found = links.join(other, on=[*MEMBERSHIP, "is_cancelled"]).filter(pl.col("row") > pl.col("first")).sort("row")
        errors = [_fault(*row) for row in found.select("row", "first", "is_cancelled").head(MOST_ERRORS_KEPT).rows()]
        reading.refuse_many(errors, found.height)


def _fault(row: int, first: int, is_cancelled: bool) -> RowError:
    here, there = ("cancels", "states") if is_cancelled else ("states", "cancels")
    detail = f"Row {row} {here} the membership that row {first} {there}: same school, trust and first day."
    return RowError(row, None, RowCode.KEY_REPEATED, detail)
