"""A trust's own figures: our own layout, as CSV or as NDJSON (an object a line), made for a million rows and
more."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import (
    Parsed,
    read_bands,
    read_column,
    read_counts,
    read_identifiers,
    read_numbers,
)
from academy.imports.formats.cells.faults import Checker, Seen, check_not_ahead, ending
from academy.imports.formats.cells.symbols import REASONS, reason_of
from academy.imports.formats.cells.values import Unreadable, read_year, shown
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.layouts.figures import check_inside, without_nobody
from academy.imports.formats.layouts.ndjson_file import NdjsonFile
from academy.imports.formats.reading import SCHEMAS, Column, FileRefused, Reading, Request, RowError
from academy.imports.formats.tallies import Tally
from academy.measures.rules import MEASURES, PERIODS, PUPIL_GROUPS, Unit, suggest_measure
from sector.years import FIRST_YEAR, LAST_YEAR, academic_year_on, format_academic_year, year_start

SOURCE: Final = "the trust's own data"

COLUMNS: Final = (
    Column("urn", "Unique reference number of the academy", required=True, example="135874"),
    Column("measure", "Code of the measure, as GET /measures lists them", required=True, example="ks4.attainment_8"),
    Column(
        "academic_year", "Academic year; may be sent with the file instead, and must agree with it", example="2025/26"
    ),
    Column("period", "year (when empty), autumn, spring, summer, autumn_spring or year_to_date", example="year"),
    Column("pupil_group", "Group of pupils; all when empty", example="all"),
    Column("value", "The figure; empty, or an official symbol such as SUPP, when there is none", example="46.4"),
    Column("reason", "Why there is no value, such as suppressed", example=""),
    Column("lower", "Lower limit of the 95% interval", example=""),
    Column("upper", "Upper limit of the 95% interval", example=""),
    Column("cohort", "Number of pupils behind the figure", example="180"),
    Column("published_band", "Published band of progress: 1 to 5, or in words", aliases=("band",), example=""),
)
KEY: Final = ("urn", "measure", "pupil_group", "academic_year", "period")


_BEGINS: Final = {"spring": (1, 1), "autumn_spring": (1, 1), "summer": (4, 1)}
"""The month and day of an academic year's second half on which a term has begun at the earliest. The autumn term, the
year and the year to date begin with the year."""


def read_observations(path: Path, request: Request) -> Iterator[Reading]:
    """Read such a file: NDJSON when its first character is a brace, else CSV."""
    years = _Years(request.academic_year, request.latest_year, request.today)
    yield from _ndjson(path, years) if _is_json(path) else _csv(path, years)


@dataclass(frozen=True, slots=True)
class _Years:
    """The year that was sent with the file, which its rows must agree with; the latest that they can be of; today."""

    sent: str | None
    latest: str | None
    today: date | None

    def check(self, check: Checker, years: pl.Series) -> None:
        """Note rows of years that can't be, or weren't meant."""
        check_not_ahead(check, "academic_year", years, self.latest)
        if self.sent is not None:
            detail = f"but the academic year that was sent is {self.sent}."
            differs = (years != self.sent) & years.is_not_null()
            check.refuse(
                "academic_year",
                differs,
                RowCode.ACADEMIC_YEAR_DIFFERS,
                lambda row: f"This is of {years[row]}, {detail}",
            )

    def check_periods(self, check: Checker, years: pl.Series, periods: pl.Series) -> None:
        """Note figures of terms of this year that haven't begun; they are kept, since they may be estimates."""
        if self.today is None:
            return
        year = academic_year_on(self.today)
        for period, (month, day) in _BEGINS.items():
            if self.today < date(year_start(year) + 1, month, day):
                times = int(((years == year) & (periods == period)).sum())
                if times:
                    detail = f"The part of {year} that is called {period} hasn't begun; its figures are kept."
                    check.warn("period", RowCode.PERIOD_AHEAD, detail, times)


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"["):
        raise FileRefused(RowCode.JSON_IS_A_LIST, "Send NDJSON, an object a line, rather than one list.")
    return start.startswith(b"{")


def _csv(path: Path, years: _Years) -> Iterator[Reading]:
    sheet = CsvFile(path, may_be_cp1252=False)
    chosen = sheet.choose(COLUMNS)
    first = Reading(source=SOURCE, warnings=sheet.warnings, done=0.0)
    first.refuse(sheet.errors)
    first.refuse(_missing(set(chosen), years.sent))
    yield first
    if not first.is_valid:
        return
    seen, rows = Seen(", ".join(KEY)), 0
    for frame, ragged, done in sheet.batches(chosen):
        reading = _batch(frame, ragged, seen, years)
        reading.done = done
        rows += frame.height
        yield reading
    last = ending(seen, rows)
    last.warn(sheet.last_warnings())
    yield last


def _missing(names: set[str], year: str | None) -> Iterator[RowError]:
    if "academic_year" not in names and year is None:
        detail = "The file has no column academic_year, and none was sent with it."
        yield RowError(1, "academic_year", RowCode.COLUMN_MISSING, detail)
    if not names & {"value", "reason"}:
        yield RowError(1, "value", RowCode.COLUMN_MISSING, "The required column 'value' is missing.")


def _ndjson(path: Path, years: _Years) -> Iterator[Reading]:
    lines = NdjsonFile(path, COLUMNS)
    yield Reading(source=SOURCE, done=0.0)
    seen, rows = Seen(", ".join(KEY), is_json=True), 0
    for frame, wrong, done in lines.batches():
        reading = _batch(frame, wrong, seen, years)
        reading.done = done
        rows += frame.height
        yield reading
    last = ending(seen, rows)
    last.warnings.extend(lines.warnings())
    yield last


def _batch(frame: pl.DataFrame, wrong: list[RowError], seen: Seen, years: _Years) -> Reading:
    check = Checker(frame["row"])
    check.ragged(wrong)
    cells = _Cells(frame, check)
    urn = check.urns("urn", frame["urn"], read_identifiers(frame["urn"]), required=False)
    check.refuse("urn", urn.is_null(), RowCode.VALUE_MISSING, lambda _: "urn is empty.")
    measure = cells.coded("measure", _MEASURES, _read_measure, None)
    academic_year = cells.coded("academic_year", _YEARS, read_year, years.sent)
    years.check(check, academic_year)
    period = cells.coded("period", _PERIODS, _read_period, "year")
    years.check_periods(check, academic_year, period)
    values = cells.figures(measure)
    found = pl.DataFrame(
        {
            "urn": urn,
            "measure": measure,
            "pupil_group": cells.coded("pupil_group", _GROUPS, _read_group, "all"),
            "academic_year": academic_year,
            "period": period,
            **values,
        }
    )
    good = ~check.faulty
    seen.add(found.select(KEY), frame["row"], without=check.faulty_in(*KEY))
    reading = Reading(rows_read=frame.height, rows_accepted=int(good.sum()))
    check.report(reading)
    if not check.total:
        # A file without a column says nothing of it; an object of NDJSON is the whole figure.
        kept = {n: t for n, t in SCHEMAS["observations"].items() if n not in _DETAILS or n in frame.columns}
        reading.put("observations", found.select(pl.col(n).cast(t) for n, t in kept.items()))
    return reading


_MEASURES: Final = pl.Enum(list(MEASURES))
_GROUPS: Final = pl.Enum(list(PUPIL_GROUPS))
_PERIODS: Final = pl.Enum(list(PERIODS))
_REASONS: Final = pl.Enum(list(REASONS))
_COUNTS: Final = [code for code, measure in MEASURES.items() if measure.unit is Unit.PUPILS]
_YEARS: Final = pl.Enum([format_academic_year(start) for start in range(FIRST_YEAR, LAST_YEAR + 1)])
_LOWEST: Final = pl.Series([measure.minimum for measure in MEASURES.values()], dtype=pl.Float64)
_HIGHEST: Final = pl.Series([measure.maximum for measure in MEASURES.values()], dtype=pl.Float64)


def _read_measure(text: str) -> str | Unreadable:
    code = text.strip()
    if code in MEASURES:
        return code
    meant = suggest_measure(code)
    hint = f" Was {meant} meant?" if meant else ""
    return Unreadable(RowCode.UNKNOWN_MEASURE, f"{shown(text)} is no measure of the catalogue.{hint}")


def _read_group(text: str) -> str | Unreadable:
    code = text.strip().lower()
    if code in PUPIL_GROUPS:
        return code
    return Unreadable(RowCode.UNKNOWN_PUPIL_GROUP, f"{shown(text)} is none of {', '.join(PUPIL_GROUPS)}.")


def _read_period(text: str) -> str | Unreadable:
    code = text.strip().lower()
    if code in PERIODS:
        return code
    return Unreadable(RowCode.UNKNOWN_PERIOD, f"{shown(text)} is none of {', '.join(PERIODS)}.")


def _read_reason(text: str) -> str | Unreadable:
    code = text.strip().lower()
    if code in REASONS:
        return code
    return reason_of(text) or Unreadable(RowCode.UNKNOWN_REASON, f"{shown(text)} is none of {', '.join(REASONS)}.")


def is_blank(cells: pl.Series) -> pl.Series:
    """True where a cell has nothing but white space."""
    return (cells.str.strip_chars() == "").fill_null(value=True)


class _Cells:
    """The cells of a batch. Codes that are spelled as the catalogue does take a short cut."""

    def __init__(self, frame: pl.DataFrame, check: Checker) -> None:
        self._frame, self._check = frame, check

    def _column(self, name: str) -> pl.Series | None:
        return self._frame[name] if name in self._frame.columns else None

    def coded(
        self, name: str, codes: pl.Enum, read: Callable[[str], str | Unreadable], otherwise: str | None
    ) -> pl.Series:
        """A column of codes; `otherwise` stands where it is empty, which is a fault when it is None."""
        cells = self._column(name)
        if cells is None:
            return pl.Series(values=[otherwise], dtype=pl.String).new_from_index(0, self._frame.height)
        known = cells.cast(codes, strict=False)
        if known.null_count() == 0:
            return cells
        cells = cells.set(is_blank(cells), otherwise)
        values = self._check.note(
            name, read_column(cells, read, pl.String(), plain=cells.cast(codes, strict=False).cast(pl.String))
        )
        self._check.refuse(name, cells.is_null(), RowCode.VALUE_MISSING, lambda _: f"{name} is empty.")
        return values

    def figures(self, measure: pl.Series) -> dict[str, pl.Series]:
        """Values, reasons, intervals, cohorts and bands, each row with a value or a reason."""
        cells = self._column("value")
        if cells is None:
            cells = pl.Series(values=[None], dtype=pl.String).new_from_index(0, self._frame.height)
        number = read_numbers(cells)
        value = self._check.note("value", number)
        self._check_range(cells, value, measure)
        reason = number.reasons
        given = self._column("reason")
        if given is not None and given.null_count() == len(given):
            given = None
        if given is not None:
            given = given.set(is_blank(given), None)
            known = given.cast(_REASONS, strict=False).cast(pl.String)
            stated = self._check.note("reason", read_column(given, _read_reason, pl.String(), plain=known))
            both = value.is_not_null() & stated.is_not_null()
            detail = "There is a value and a reason why there is none."
            self._check.refuse("reason", both, RowCode.VALUE_AND_REASON, lambda _: detail)
            reason = stated.fill_null(reason)
        if value.null_count():
            silent = value.is_null() & is_blank(cells)
            if given is not None:
                silent &= given.is_null()
            detail_silent = "There is neither a value nor a reason why there is none."
            self._check.refuse("value", silent, RowCode.VALUE_MISSING, lambda _: detail_silent)
        details = self._details(value)
        self._count_percents(value, measure)
        nobody = (details["cohort"] == 0).fill_null(value=False) & ~measure.is_in(_COUNTS).fill_null(value=False)
        counted, reason = without_nobody(self._check, "value", value, reason, nobody)
        emptied = counted.is_null() & value.is_not_null()
        # As without a value in the first place: an interval or a band says what it would have been.
        details |= {name: self._without(emptied, name, details[name]) for name in _OF_VALUES}
        check_inside(self._check, "value", counted, details["lower"], details["upper"])
        return {"value": counted, "reason": reason, **details}

    def _count_percents(self, value: pl.Series, measure: pl.Series) -> None:
        highest = pl.DataFrame({"measure": measure, "value": value}).filter(pl.col("value") > 0)
        counted = highest.group_by("measure").agg(pl.len().alias("times"), pl.col("value").max().alias("highest"))
        for code, times, top in counted.iter_rows():
            if code in MEASURES and MEASURES[code].unit is Unit.PERCENT:
                self._check.tally("value", code).add(Tally(positive=times, highest=top))

    def _check_range(self, cells: pl.Series, value: pl.Series, measure: pl.Series) -> None:
        place = measure.cast(_MEASURES, strict=False).to_physical()
        outside = (value < _LOWEST.gather(place)) | (value > _HIGHEST.gather(place))
        if outside.any():

            def detail(row: int) -> str:
                limits = MEASURES[measure[row]]
                return f"{shown(cells[row])} is outside {limits.minimum:g} to {limits.maximum:g} ({limits.title})."

            self._check.refuse("value", outside, RowCode.OUT_OF_RANGE, detail)

    def _details(self, value: pl.Series) -> dict[str, pl.Series]:
        nothing = pl.Series(values=[None], dtype=pl.Float64).new_from_index(0, len(value))
        read: dict[str, pl.Series] = {}
        for name, how in _DETAILS.items():
            cells = self._column(name)
            empty = cells is None or cells.null_count() == len(cells)
            read[name] = nothing if cells is None or empty else self._check.note(name, how(cells))
        lower, upper = read["lower"], read["upper"]
        self._check.refuse(
            "lower",
            lower > upper,
            RowCode.INTERVAL_REVERSED,
            lambda place: f"The interval is reversed: {lower[place]:g} to {upper[place]:g}.",
        )
        below = (read["cohort"] < 0).fill_null(value=False)
        self._check.refuse("cohort", below, RowCode.OUT_OF_RANGE, lambda _: "A cohort can't be below 0.")
        return read | {name: self._without(value.is_null(), name, read[name]) for name in _OF_VALUES}

    def _without(self, missing: pl.Series, name: str, cells: pl.Series) -> pl.Series:
        """A detail where there is a value: without one, an interval or a band would say what it was hidden for."""
        if cells.null_count() == len(cells):
            return cells
        if times := int((missing & cells.is_not_null()).sum()):
            detail = f"{name} was left out where there is no value."
            self._check.warn(name, RowCode.DETAIL_WITHOUT_VALUE, detail, times)
        return cells.set(missing, None)


_OF_VALUES: Final = ("lower", "upper", "published_band")
_DETAILS: Final[dict[str, Callable[[pl.Series], Parsed]]] = {
    "lower": read_numbers,
    "upper": read_numbers,
    "cohort": read_counts,
    "published_band": read_bands,
}
