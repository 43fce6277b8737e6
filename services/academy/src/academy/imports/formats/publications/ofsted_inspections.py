"""Inspections: Ofsted's management information (latest or all inspections of state-funded schools), or any
table of URN, grade and date.

The four grades until 2024 and the report cards since November 2025 stand side by side as they were
published; neither is ever turned into the other. One row of "latest inspections" holds up to four
inspections.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.formats.cells.columns import Parsed, read_column, read_dates, read_identifiers, read_texts
from academy.imports.formats.cells.faults import Checker, Seen, ending
from academy.imports.formats.cells.grades import read_concern, read_grade, read_safeguarding
from academy.imports.formats.cells.values import Unreadable
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.reading import SCHEMAS, Column, Reading, ReadingWarning, Request, RowError

_GRADED: Final = {
    "quality_of_education": "Quality of education",
    "behaviour_and_attitudes": "Behaviour and attitudes",
    "personal_development": "Personal development",
    "leadership_and_management": "Effectiveness of leadership and management",
    "early_years": "Early years provision (where applicable)",
    "sixth_form": "Sixth form provision (where applicable)",
    "outcomes": "Outcomes for pupils",
    "teaching": "Quality of teaching, learning and assessment",
    "development_behaviour_welfare": "Personal development, behaviour and welfare",
}
_LATEST: Final = {
    name: f"Latest OEIF {column[0].lower()}{column[1:]}"
    for name, column in _GRADED.items()
    if name not in ("outcomes", "teaching", "development_behaviour_welfare")
}
_REPORT_CARD: Final = {
    "inclusion": "Inclusion",
    "curriculum_and_teaching": "Curriculum and teaching",
    "achievement": "Achievement",
    "attendance_and_behaviour": "Attendance and behaviour",
    "personal_development_and_wellbeing": "Personal development and wellbeing",
    "leadership_and_governance": "Leadership and governance",
    "early_years": "Early years (where applicable)",
    "post_16": "Post-16 provision (where applicable)",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One inspection that a row may hold, and its columns."""

    kind: str
    date: str
    judgements: Mapping[str, str]
    grade: str | None = None
    published: str | None = None
    urn: str | None = None
    concern: str | None = None
    safeguarding: str | None = None
    outcome: str | None = None


PARTS: Final = (
    Part(
        "report_card",
        "Inspection start date",
        _REPORT_CARD,
        None,
        "Publication date",
        None,
        "Category of concern",
        "Safeguarding standards",
    ),
    Part(
        "overall_grade",
        "Inspection start date",
        _GRADED,
        "Overall effectiveness",
        "Publication date",
        None,
        "Category of concern",
        "Safeguarding is effective?",
    ),
    Part(
        "overall_grade",
        "Inspection start date of latest OEIF graded inspection",
        _LATEST,
        "Latest OEIF overall effectiveness",
        "Publication date of latest OEIF graded inspection",
        "URN at time of latest OEIF graded inspection",
    ),
    Part(
        "overall_grade",
        "Previous inspection start date",
        {},
        "Previous full inspection overall effectiveness",
        "Previous publication date",
        "URN at time of previous full inspection",
    ),
    Part(
        "ungraded",
        "Date of latest ungraded inspection",
        {},
        None,
        "Ungraded inspection publication date",
        "URN at time of the ungraded inspection",
        outcome="Ungraded inspection overall outcome",
    ),
)

_ALIASES: Final = {
    "Inspection start date": ("Inspection Date", "First day of inspection", "OfstedLastInsp"),
    "Publication date": ("Date published",),
    "Overall effectiveness": ("Rating", "OfstedRating (name)", "Overall effectiveness: how good is the school"),
    "Inspection start date of latest OEIF graded inspection": (
        "Inspection start date of latest OEIF standard inspection",
    ),
    "Publication date of latest OEIF graded inspection": ("Publication date of latest OEIF standard inspection",),
    "Previous inspection start date": ("Previous graded inspection start date",),
    "Previous publication date": ("Previous graded inspection publication date",),
    "Previous full inspection overall effectiveness": ("Previous graded inspection overall effectiveness",),
    "URN at time of previous full inspection": ("URN at time of previous graded inspection",),
}
_EXAMPLES: Final = {"Overall effectiveness": "Good", "Inspection start date": "2019-01-23"}


def _columns() -> Iterator[Column]:
    yield Column("URN", "Unique reference number of the school", required=True, example="115850")
    named: set[str] = set()
    for part in PARTS:
        singles: dict[str | None, str] = {
            part.date: "Day on which the inspection began",
            part.grade: "Overall grade, by number or name",
            part.published: "Day of publication",
            part.urn: "The school's number at the time, when it had another",
            part.concern: "Special measures (SM), serious weaknesses (SWK), requires significant improvement (RSI)",
            part.safeguarding: "Whether safeguarding is effective (until 2025) or met (since)",
            part.outcome: "What an ungraded inspection found, in its words",
            **dict.fromkeys(part.judgements.values(), "Grade of this area"),
        }
        for name, meaning in singles.items():
            if name is not None and name not in named:
                named.add(name)
                yield Column(name, meaning, aliases=_ALIASES.get(name, ()), example=_EXAMPLES.get(name, ""))


MOST_NAMED: Final = 100
"""So many repeated inspections are named one by one."""

COLUMNS: Final = tuple(_columns())


def read_inspections(path: Path, request: Request) -> Iterator[Reading]:
    """Inspections of schools. Of two that a file gives of one school, day and kind the first stands, and a
    warning names the other: published histories hold a few."""
    del request  # a history has no year
    sheet = CsvFile(path, may_be_cp1252=True)
    chosen = sheet.choose(COLUMNS)
    reading = Reading(source="Ofsted inspection outcomes", warnings=sheet.warnings)
    reading.refuse(sheet.errors)
    if not any(part.date in chosen for part in PARTS):
        dates = sorted({part.date for part in PARTS})
        detail = f"No day of an inspection is there: one of {', '.join(dates)}."
        reading.refuse([RowError(1, "Inspection start date", "column-missing", detail)])
    if not reading.is_valid:
        yield reading
        return
    found: list[pl.DataFrame] = []
    for frame, ragged, _ in sheet.batches(chosen):
        check = Checker(frame["row"])
        check.ragged(ragged)
        rows = _Rows(frame, check)
        found.extend(part for part in map(rows.inspections, PARTS) if part.height)
        reading.rows_read += frame.height
        reading.rows_ignored += frame.height - int(check.faulty.sum())
        check.report(reading)
    reading.add(ending(Seen("row"), reading.rows_read))
    if found:
        _keep_first(pl.concat(found).sort("row", maintain_order=True), reading)
    if reading.errors_total:
        reading.frames.clear()
    yield reading


class _Rows:
    """A batch of rows, of which each part takes the columns that it needs; a column is read, and faulted,
    once."""

    def __init__(self, frame: pl.DataFrame, check: Checker) -> None:
        self._frame, self._check = frame, check
        self._read: dict[str, pl.Series] = {}
        self._urns = check.urns("URN", frame["URN"], read_identifiers(frame["URN"]))

    def _column(self, name: str | None, read: Callable[[pl.Series], Parsed], dtype: pl.DataType) -> pl.Series:
        if name is None or name not in self._frame.columns:
            return pl.Series(values=[None], dtype=dtype).new_from_index(0, self._frame.height)
        if name not in self._read:
            self._read[name] = self._check.note(name, read(self._frame[name]))
        return self._read[name]

    def _words(self, name: str | None, read: Callable[[str], str | Unreadable | None]) -> pl.Series:
        return self._column(name, lambda cells: read_column(cells, read, pl.String()), pl.String())

    def inspections(self, part: Part) -> pl.DataFrame:
        """The inspections that this part of the rows holds."""
        grade = self._words(part.grade, read_grade)
        areas = pl.DataFrame(
            {name: self._words(column, read_grade) for name, column in part.judgements.items()},
            schema=dict.fromkeys(part.judgements, pl.String()),
        )
        outcome = self._column(part.outcome, read_texts, pl.String())
        date = self._column(part.date, read_dates, pl.Date())
        has_grade = grade.is_not_null()
        for name in areas.columns:
            has_grade |= areas[name].is_not_null()
        is_inspection = has_grade | (outcome.is_not_null() & (outcome.str.to_uppercase() != "NULL"))
        self._check.refuse(
            part.date,
            is_inspection & date.is_null() & ~self._check.faulty,
            "value-missing",
            lambda _: f"There is a grade, but {part.date!r} is empty.",
        )
        then = self._column(part.urn, read_identifiers, pl.Int32())
        found = pl.DataFrame(
            {
                "row": self._frame["row"],
                "urn": then.fill_null(self._urns),
                "inspected_on": date,
                "published_on": self._column(part.published, read_dates, pl.Date()),
                "kind": pl.Series(values=[part.kind]).new_from_index(0, self._frame.height),
                "overall_grade": grade,
                "category_of_concern": self._words(part.concern, read_concern),
                "safeguarding": self._words(part.safeguarding, read_safeguarding),
            }
        )
        kept = is_inspection & date.is_not_null()
        judged = pl.DataFrame([*areas.get_columns(), outcome.alias("outcome")]).filter(kept)
        found = found.filter(kept).with_columns(
            pl.Series(
                "judgements",
                [json.dumps({k: v for k, v in row.items() if v}) for row in judged.iter_rows(named=True)],
                dtype=pl.String,
            )
        )
        is_concern = pl.col("overall_grade").is_in(["special_measures", "serious_weaknesses"])
        return found.with_columns(
            pl.coalesce("category_of_concern", pl.when(is_concern).then(pl.col("overall_grade"))).alias(
                "category_of_concern"
            )
        )


def _keep_first(found: pl.DataFrame, reading: Reading) -> None:
    key = ["urn", "inspected_on", "kind"]
    kept = found.unique(key, keep="first", maintain_order=True)
    again = found.filter(~pl.struct(key).is_first_distinct())
    first = kept.select(*key, pl.col("row").alias("first"), pl.col("overall_grade").alias("before"))
    for row in again.join(first, on=key, how="left", maintain_order="left").head(MOST_NAMED).iter_rows(named=True):
        if row["row"] != row["first"]:
            differs = "" if row["overall_grade"] == row["before"] else ", with another grade"
            detail = f"Row {row['row']} repeats the inspection of row {row['first']}{differs}; the first stands."
            reading.warnings.append(ReadingWarning(None, "inspection-repeated", detail))
    reading.rows_accepted = kept["row"].n_unique()
    reading.rows_ignored -= reading.rows_accepted
    reading.put("inspections", kept.select(pl.col(n).cast(t) for n, t in SCHEMAS["inspections"].items()))
