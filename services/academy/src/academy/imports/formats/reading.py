"""What came out of a file: validated frames by target table, counts, warnings and errors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from io import BytesIO
from types import MappingProxyType
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.tallies import Tally, TallyKey

MOST_ERRORS_KEPT: Final = 1000
"""An import shows this many errors; `errors_total` counts them all."""

SCHEMAS: Final[Mapping[str, Mapping[str, pl.DataType]]] = MappingProxyType(
    {
        # Of `schools` a frame holds `urn` and only the columns that the file has: a column that is absent
        # says nothing and must leave the register alone; a null in a column that is there says "empty".
        "schools": {
            "urn": pl.Int32(),
            "name": pl.String(),
            "ukprn": pl.String(),
            "laestab": pl.String(),
            "la_code": pl.String(),
            "la_name": pl.String(),
            "type_code": pl.String(),
            "type_name": pl.String(),
            "phase": pl.String(),
            "status": pl.String(),
            "opened_on": pl.Date(),
            "closed_on": pl.Date(),
            "low_age": pl.Int16(),
            "high_age": pl.Int16(),
            "pupils": pl.Int32(),
            "capacity": pl.Int32(),
            "town": pl.String(),
            "postcode": pl.String(),
            "region": pl.String(),
        },
        "school_links": {
            "urn": pl.Int32(),
            "linked_urn": pl.Int32(),
            "link_type": pl.String(),
            "established_on": pl.Date(),
        },
        "trusts": {
            "group_uid": pl.String(),
            "group_id": pl.String(),
            "name": pl.String(),
            "kind": pl.String(),
            "companies_house_number": pl.String(),
            "ukprn": pl.String(),
            "status": pl.String(),
            "opened_on": pl.Date(),
            "closed_on": pl.Date(),
        },
        "memberships": {
            "urn": pl.Int32(),
            "group_uid": pl.String(),
            "joined_on": pl.Date(),
            "left_on": pl.Date(),
            "is_cancelled": pl.Boolean(),
        },
        "inspections": {
            "urn": pl.Int32(),
            "inspected_on": pl.Date(),
            "published_on": pl.Date(),
            "kind": pl.String(),
            "overall_grade": pl.String(),
            "category_of_concern": pl.String(),
            "judgements": pl.String(),
            "safeguarding": pl.String(),
            "graded_on": pl.String(),
            "latest_category_of_concern": pl.String(),
            "stated": pl.String(),
            "dated": pl.String(),
        },
        "observations": {
            "urn": pl.Int32(),
            "measure": pl.String(),
            "pupil_group": pl.String(),
            "academic_year": pl.String(),
            "period": pl.String(),
            "value": pl.Float64(),
            "reason": pl.String(),
            "lower": pl.Float64(),
            "upper": pl.Float64(),
            "cohort": pl.Int32(),
            "published_band": pl.String(),
        },
        "comparison_figures": {
            "area": pl.String(),
            "area_code": pl.String(),
            "sector": pl.String(),
            "phase": pl.String(),
            "measure": pl.String(),
            "pupil_group": pl.String(),
            "academic_year": pl.String(),
            "period": pl.String(),
            "value": pl.Float64(),
            "reason": pl.String(),
        },
    }
)
"""The columns and types of each frame, by target table. `judgements` and `graded_on` are JSON text;
`stated` and `dated` are arrays as Postgres writes them, of the columns and areas that the file states, and of the areas
whose days it states. Of `memberships` `left_on`, and of a trust's own
`observations` the details of a figure, are missing where the file has no column for them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read. Files of some years call it by one of the `aliases`."""

    name: str
    meaning: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was sent with the file: its academic year (`2018/19`), the latest that its figures can be of, and the day
    in England on which it is read; None for any."""

    academic_year: str | None = None
    latest_year: str | None = None
    today: date | None = None


class FileRefused(Exception):
    """A file that can't be read as the kind that was sent with it; `code` and `detail` say why."""

    def __init__(self, code: RowCode, detail: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(detail)
        self.code, self.detail, self.row, self.column = code, detail, row, column

    def error(self) -> "RowError":
        """The same among the errors of a reading."""
        return RowError(self.row, self.column, self.code, self.detail)


@dataclass(frozen=True, slots=True)
class RowError:
    """One reason why a file is rejected. `row` counts as a spreadsheet does: the header is row 1, so the first
    row of figures is 2; in JSON and NDJSON the first item or line is 1. `row` and `column` are None when the
    error is about the whole file."""

    row: int | None
    column: str | None
    code: RowCode
    detail: str


@dataclass(frozen=True, slots=True)
class ReadingWarning:
    """Something in the file that was left out, or kept although it looks wrong; `times` is how many cells or rows it
    is about, where that can be counted. Where the detail names a measure, `of_several` is the sentence for several of
    them, and `measure` the name of this one."""

    column: str | None
    code: RowCode
    detail: str
    times: int | None = None
    of_several: str = ""
    measure: str = ""

    @property
    def sentence(self) -> str:
        """What people read: the detail, and how often it was found when that was more than once."""
        return self.detail if self.times is None or self.times == 1 else f"{self.detail} ({self.times:,} times)"


@dataclass(slots=True)
class Reading:
    """A file, or one batch of a large one: readings of the same file add up with `add`.

    `frames` has an entry only for tables that got rows. When `errors_total` isn't 0 nothing of the file may
    be kept. `rows_read = rows_accepted + rows_ignored + rows with an error`. `done` is the part of the file
    that has been read, 0 to 1.
    """

    source: str = ""
    frames: dict[str, pl.DataFrame] = field(default_factory=dict)
    rows_read: int = 0
    rows_accepted: int = 0
    rows_ignored: int = 0
    comparison_rows: int = 0
    warnings: list[ReadingWarning] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    errors_total: int = 0
    tallies: dict[TallyKey, Tally] = field(default_factory=dict)
    done: float = 1.0

    @property
    def is_valid(self) -> bool:
        """True when nothing keeps the file out."""
        return self.errors_total == 0

    def refuse(self, errors: Iterable[RowError]) -> None:
        """Note errors: all are counted, the first thousand are kept."""
        for error in errors:
            self.errors_total += 1
            if len(self.errors) < MOST_ERRORS_KEPT:
                self.errors.append(error)

    def refuse_many(self, errors: Sequence[RowError], total: int) -> None:
        """Note errors of which only the first are at hand; `total` counts them all."""
        self.errors.extend(errors[: MOST_ERRORS_KEPT - len(self.errors)])
        self.errors_total += total

    def warn(self, warnings: Iterable[ReadingWarning]) -> None:
        """Note warnings; one that says the same of the same column as an earlier one is counted with it."""
        places = {(w.column, w.code, w.detail): place for place, w in enumerate(self.warnings)}
        for warning in warnings:
            key = (warning.column, warning.code, warning.detail)
            if key not in places:
                places[key] = len(self.warnings)
                self.warnings.append(warning)
            elif warning.times is not None:
                before = self.warnings[places[key]]
                self.warnings[places[key]] = replace(before, times=(before.times or 0) + warning.times)

    def count(self, tallies: Mapping[TallyKey, Tally]) -> None:
        """Note what columns hold; counts of the same column are added up."""
        for key, tally in tallies.items():
            self.tallies.setdefault(key, Tally()).add(tally)

    def put(self, table: str, rows: pl.DataFrame) -> None:
        """Give rows for a table, unless there are none."""
        if rows.height:
            self.frames[table] = rows

    def add(self, batch: "Reading") -> None:
        """Take in the next batch's counts, warnings and errors, but not its frames (they may not fit in
        memory), nor its tallies, which `read_batches` adds up."""
        self.source = batch.source or self.source
        self.rows_read += batch.rows_read
        self.rows_accepted += batch.rows_accepted
        self.rows_ignored += batch.rows_ignored
        self.comparison_rows += batch.comparison_rows
        self.warn(batch.warnings)
        self.errors.extend(batch.errors[: MOST_ERRORS_KEPT - len(self.errors)])
        self.errors_total += batch.errors_total
        self.done = batch.done


def copy_csv(frame: pl.DataFrame) -> bytes:
    """The frame as CSV for `COPY ... (FORMAT csv, NULL '')`, columns in the frame's order, without a header.

    Text is never empty in a frame (empty is null), so that the empty string always means null.
    """
    buffer = BytesIO()
    frame.write_csv(buffer, include_header=False, null_value="", date_format="%Y-%m-%d")
    return buffer.getvalue()


def is_gzip(start: bytes) -> bool:
    """True when a file that starts like this is gzipped, whatever its name or headers say."""
    return start.startswith(b"\x1f\x8b")
