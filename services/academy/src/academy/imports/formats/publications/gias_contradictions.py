"""Rows of the register whose status and day contradict each other: the status counts, and a warning names them.

A close date that was copied from another row, or is out of date, would take a school off the board that the register
says is open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.reading import Reading, ReadingWarning

MOST_NAMED: Final = 20
"""So many schools or trusts are named in a warning."""
CODE: Final = RowCode.STATUS_CONTRADICTS_DATE

OPEN: Final = ("open", "proposed_to_close")


@dataclass(frozen=True, slots=True)
class _Contradiction:
    """A status and a day that can't both be right; `is_left_out` says that the day is not kept."""

    statuses: tuple[str, ...]
    day: str
    is_past: bool
    is_left_out: bool
    sentence: str


_SCHOOLS: Final = (
    _Contradiction(
        OPEN, "closed_on", is_past=True, is_left_out=True,
        sentence="The status says that a school is open, its CloseDate is past. The status counts, the day is dropped",
    ),
    _Contradiction(
        ("closed",), "closed_on", is_past=False, is_left_out=True,
        sentence="The status says that a school is closed, its CloseDate is to come. The status counts: it is closed "
        "from today on",
    ),
    _Contradiction(
        ("proposed_to_open",), "opened_on", is_past=True, is_left_out=False,
        sentence="The status says that a school is only proposed, its OpenDate is past. The status counts: it is on no "
        "board until the register says Open",
    ),
    _Contradiction(
        OPEN, "opened_on", is_past=False, is_left_out=False,
        sentence="The status says that a school is open, its OpenDate is to come. The status counts",
    ),
)  # fmt: skip
_TRUSTS: Final = (
    _Contradiction(
        ("open",), "closed_on", is_past=True, is_left_out=True,
        sentence="The status says that a trust is open, its Closed Date is past. The status counts, the day is dropped",
    ),
    _Contradiction(
        ("closed",), "closed_on", is_past=False, is_left_out=False,
        sentence="The status says that a trust is closed, its Closed Date is to come. Its academies stay until then",
    ),
)  # fmt: skip


class Contradictions:
    """Those of one file, gathered over its batches. `today` is None where no day is to be held against another."""

    def __init__(self, today: date | None, known: tuple[_Contradiction, ...], called: str, columns: dict[str, str]):
        self._today, self._known, self._called, self._columns = today, known, called, columns
        self._found: dict[_Contradiction, dict[int | str, date]] = {}

    @classmethod
    def of_schools(cls, today: date | None) -> "Contradictions":
        """Of rows with `urn`, `status`, `opened_on` and `closed_on`."""
        return cls(today, _SCHOOLS, "urn", {"opened_on": "OpenDate", "closed_on": "CloseDate"})

    @classmethod
    def of_trusts(cls, today: date | None) -> "Contradictions":
        """Of rows with `group_uid`, `status` and `closed_on`."""
        return cls(today, _TRUSTS, "group_uid", {"closed_on": "Closed Date"})

    def settle(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows as they count: without the days that their status contradicts."""
        if self._today is None:
            return rows
        for one in self._known:
            day = rows[one.day]
            is_there = day < self._today if one.is_past else day > self._today
            where = (is_there & rows["status"].is_in(one.statuses)).fill_null(value=False)
            if where.any():
                named = rows.filter(where & rows[self._called].is_not_null()).select(self._called, one.day)
                self._found.setdefault(one, {}).update(named.iter_rows())
                if one.is_left_out:
                    rows = rows.with_columns(day.set(where, None))
        return rows

    def report(self, reading: Reading) -> None:
        """Note a warning for each kind of contradiction, which names the first schools or trusts."""
        reading.warn(self._warnings())

    def _warnings(self) -> Iterator[ReadingWarning]:
        title = "URN" if self._called == "urn" else "Group UID"
        for one, found in self._found.items():
            listed = [f"{title} {name} ({day})" for name, day in found.items()]
            more = f"; and {len(listed) - MOST_NAMED:,} more" if len(listed) > MOST_NAMED else ""
            detail = f"{one.sentence}: {', '.join(listed[:MOST_NAMED])}{more}."
            yield ReadingWarning(self._columns[one.day], CODE, detail)
