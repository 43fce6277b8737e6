"""Gathers what is wrong with a batch of rows, and finds keys that a file gives twice."""

from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import Parsed
from academy.imports.formats.cells.symbols import UNRECOGNISED
from academy.imports.formats.cells.values import Unreadable, shown
from academy.imports.formats.reading import MOST_ERRORS_KEPT, Reading, ReadingWarning, RowError
from academy.imports.formats.tallies import Tally, TallyKey
from sector.laestabs import plain_laestab
from sector.urns import HIGHEST_SCHOOL_URN, LOWEST_SCHOOL_URN


class Checker:
    """The faults of one batch of rows, one for each cell: the first that was found. `faulty` marks the rows that
    have any. Of a row that is faulty as a whole no cell is reported.
    """

    def __init__(self, rows: pl.Series) -> None:
        self.rows = rows
        self.faulty = _none_of(len(rows))
        self.unread = _none_of(len(rows))
        """Rows that are faulty as a whole: what is in their cells may belong to other columns."""
        self.total = 0
        self.warnings: list[ReadingWarning] = []
        """What is kept although it looks wrong, and what was lost of cells."""
        self.tallies: dict[TallyKey, Tally] = {}
        self._cells: dict[str, pl.Series] = {}
        self._errors: list[RowError] = []

    def note(self, column: str, parsed: Parsed) -> pl.Series:
        """Note the faults of a column that was read, and the symbols in it that nobody knows; gives its values."""
        if parsed.unrecognised:
            for text, times in sorted(parsed.unrecognised.items(), key=lambda found: -found[1]):
                detail = f"{shown(text)} is no known symbol: such cells are empty, for the reason {UNRECOGNISED}."
                self.warn(column, RowCode.UNRECOGNISED_SYMBOL, detail, times)
        self.tally(column).add(Tally(full=parsed.full(), unrecognised=sum(parsed.unrecognised.values())))
        if parsed.faults:
            first = self._mark(column, parsed.faulty)
            for place, fault in parsed.faults:
                if first[place]:
                    self._add(place, column, fault)
        return parsed.values

    def refuse(self, column: str, where: pl.Series, code: RowCode, detail: Callable[[int], str]) -> None:
        """Note a fault in the rows where the mask is true (null counts as false)."""
        where = where.fill_null(value=False)
        if where.any():
            for place in self._mark(column, where).arg_true().head(MOST_ERRORS_KEPT):
                self._add(place, column, Unreadable(code, detail(place)))

    def ragged(self, errors: Sequence[RowError]) -> None:
        """Note rows that the sheet itself found faulty, as a whole or in one cell, before any other fault."""
        for column in dict.fromkeys(error.column for error in errors):
            where = self.rows.is_in([e.row for e in errors if e.row is not None and e.column == column])
            if column is None:
                self.faulty, self.unread = self.faulty | where, self.unread | where
            else:
                self._cells[column] = where
                self.faulty = self.faulty | where
        self.total += len(errors)
        self._errors.extend(errors[:MOST_ERRORS_KEPT])

    def faulty_in(self, *columns: str) -> pl.Series | None:
        """The rows that have a fault in one of these columns, or as a whole; None when no row has any."""
        if not self.total:
            return None
        found = self.unread
        for column in columns:
            if column in self._cells:
                found = found | self._cells[column]
        return found

    def _mark(self, column: str, where: pl.Series) -> pl.Series:
        """Where the fault is the first of its cell; counts these."""
        first = where & ~self.unread
        if column in self._cells:
            first = first & ~self._cells[column]
        self._cells[column] = self._cells[column] | first if column in self._cells else first
        self.faulty = self.faulty | first
        self.total += int(first.sum())
        return first

    def _add(self, place: int, column: str, fault: Unreadable) -> None:
        self._errors.append(RowError(int(self.rows[place]), column, fault.code, fault.detail))

    def warn(
        self,
        column: str | None,
        code: RowCode,
        detail: str,
        times: int | None = None,
        *,
        of_several: str = "",
        measure: str = "",
    ) -> None:
        """Note something that doesn't keep the file out, and how often it was found."""
        self.warnings.append(ReadingWarning(column, code, detail, times, of_several, measure))

    def tally(self, column: str, measure: str = "") -> Tally:
        """The counts of a column, to be added to."""
        return self.tallies.setdefault((column, measure), Tally())

    def report(self, reading: Reading) -> None:
        """Put into the reading what was found: faults in the order of the rows, warnings, and counts of columns."""
        reading.refuse_many(self.errors(), self.total)
        reading.warn(self.warnings)
        reading.count(self.tallies)

    def errors(self) -> list[RowError]:
        """The first faults in the order of the rows."""
        ordered = sorted(self._errors, key=lambda error: (error.row or 0, error.column or ""))
        return ordered[:MOST_ERRORS_KEPT]

    def urns(self, column: str, cells: pl.Series, parsed: Parsed, *, required: bool = True) -> pl.Series:
        """Note what is wrong with a column of URNs; gives them as numbers."""
        urns = self.note(column, parsed)
        if required:
            missing = urns.is_null() & ~parsed.faulty
            self.refuse(column, missing, RowCode.URN_MISSING, lambda _: "The row has no URN.")
        outside = (urns < LOWEST_SCHOOL_URN) | (urns > HIGHEST_SCHOOL_URN)
        self.refuse(column, outside, RowCode.URN_INVALID, lambda place: _no_urn(str(cells[place]), int(urns[place])))
        return urns


def _no_urn(text: str, number: int) -> str:
    laestab = plain_laestab(str(number))
    if laestab is not None:
        return (
            f"{shown(text)} is a LAESTAB ({laestab[:3]}/{laestab[3:]}), not a URN; the URN of a school has six digits."
        )
    return f"{shown(text)} is not a URN: the URN of a school has six digits, such as 136105."


def _none_of(rows: int) -> pl.Series:
    return pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, rows)


class Seen:
    """The keys of a file so far, as hashes: 12 bytes a row, so that millions of rows fit.

    Two different keys would have to share a 64-bit hash to be taken for one: at ten million rows the odds are
    about one in 400,000 that a file is refused without cause.
    """

    def __init__(self, meaning: str, *, is_json: bool = False) -> None:
        self._meaning = meaning
        self._is_json = is_json
        self._parts: list[pl.DataFrame] = []

    def add(self, keys: pl.DataFrame, rows: pl.Series, *, without: pl.Series | None = None) -> None:
        """Take in the keys of a batch and their rows, but for those `without` a key that could be read: nothing
        can be said of what these repeat."""
        part = pl.DataFrame({"key": keys.hash_rows(seed=7), "row": rows})
        self._parts.append(part if without is None else part.filter(~without))

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
            RowError(row, None, RowCode.KEY_REPEATED, f"{self._repeats(row, first)}: same {self._meaning}.")
            for _, row, first in again.head(MOST_ERRORS_KEPT).iter_rows()
        ]
        return errors, again.height

    def _repeats(self, row: int, first: int) -> str:
        # Objects are lines of a file or items of a list, whose pointers count from 0.
        if self._is_json:
            return f"Number {row} repeats number {first} (the first is number 1)"
        return f"Row {row} repeats row {first}"


def ending(seen: Seen, rows: int) -> Reading:
    """What only the whole file shows: keys given twice, and that there were no rows at all."""
    last = Reading()
    errors, total = seen.repeated()
    last.refuse_many(errors, total)
    if rows == 0:
        detail = "The file has a header and no rows."
        last.refuse([RowError(None, None, RowCode.NO_ROWS, detail)])
    return last


def check_days_not_ahead(check: Checker, column: str, days: pl.Series, today: date | None) -> None:
    """Note days of something that has taken place which haven't come yet."""
    if today is not None:
        detail = f"is in the future: today is {today}."
        check.refuse(column, days > today, RowCode.DAY_AHEAD, lambda row: f"{days[row]} {detail}")


def check_not_ahead(check: Checker, column: str, years: pl.Series, latest: str | None) -> None:
    """Note figures of academic years that haven't begun."""
    if latest is not None:
        detail = "hasn't begun: figures can't be of it yet."
        check.refuse(column, years > latest, RowCode.ACADEMIC_YEAR_AHEAD, lambda row: f"{years[row]} {detail}")
