"""Inspections: Ofsted's management information (latest or all inspections of state-funded schools), or any
table of URN, grade and date.

The four grades until 2024 and the report cards since November 2025 stand side by side as they were
published; neither is ever turned into the other. One row of "latest inspections" holds up to four
inspections.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import Parsed, read_column, read_dates, read_identifiers, read_texts
from academy.imports.formats.cells.faults import Checker, Seen, check_days_not_ahead, ending
from academy.imports.formats.cells.grades import published_word, read_concern, read_grade, read_safeguarding
from academy.imports.formats.cells.values import Unreadable, shown
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.publications.ofsted_categories import NONE, categories_by_grades
from academy.imports.formats.publications.ofsted_columns import (
    CATEGORY,
    COLUMNS,
    LATEST_CATEGORY,
    OVERALL_GRADE,
    PARTS,
    PASSED_OVER,
    REPORT_CARD,
    REPORT_CARDS_SINCE,
    Part,
)
from academy.imports.formats.reading import SCHEMAS, Reading, ReadingWarning, Request, RowError
from academy.imports.formats.tallies import Tally

MOST_NAMED: Final = 100
"""So many repeated inspections are named one by one."""
MOST_LISTED: Final = 20
"""So many report cards are listed whose category differs from what follows from their grades."""


def read_inspections(path: Path, request: Request) -> Iterator[Reading]:
    """Inspections of schools. Of two that a file gives of one school, day and kind the first stands, and a
    warning names the other: published histories hold a few."""
    sheet = CsvFile(path, may_be_cp1252=True)
    chosen = sheet.choose(COLUMNS, known=tuple(PASSED_OVER))
    reading = Reading(source="Ofsted inspection outcomes", warnings=sheet.warnings)
    reading.refuse(sheet.errors)
    if not any(part.date in chosen for part in PARTS):
        dates = sorted({part.date for part in PARTS})
        detail = f"No day of an inspection is there: one of {', '.join(dates)}."
        reading.refuse([RowError(1, "Inspection start date", RowCode.COLUMN_MISSING, detail)])
    if not reading.is_valid:
        yield reading
        return
    found: list[pl.DataFrame] = []
    for frame, ragged, _ in sheet.batches(chosen):
        check = Checker(frame["row"])
        check.ragged(ragged)
        batch = _Rows(frame, check, request.today).every_inspection()
        # A row with a day to come gives an inspection although it is faulty: it counts as faulty alone.
        batch = batch.filter(~pl.col("row").is_in(frame["row"].filter(check.faulty).to_list()))
        if batch.height:
            found.append(batch)
        reading.rows_read += frame.height
        reading.rows_ignored += frame.height - int(check.faulty.sum())
        check.report(reading)
    reading.add(ending(Seen("row"), reading.rows_read))
    reading.warn(sheet.last_warnings())
    if found:
        inspections = pl.concat(found).sort("row", maintain_order=True)
        reading.warn(_category_differs(inspections))
        _keep_first(inspections, reading)
    if reading.errors_total:
        reading.frames.clear()
    yield reading


class _Rows:
    """A batch of rows, of which each part takes the columns that it needs; a column is read, and faulted,
    once."""

    def __init__(self, frame: pl.DataFrame, check: Checker, today: date | None) -> None:
        self._frame, self._check, self._today = frame, check, today
        self._read: dict[str, pl.Series] = {}
        self._urns = check.urns("URN", frame["URN"], read_identifiers(frame["URN"]))

    def _column(self, name: str | None, read: Callable[[pl.Series], Parsed], dtype: pl.DataType) -> pl.Series:
        if name is None or name not in self._frame.columns:
            return pl.Series(values=[None], dtype=dtype).new_from_index(0, self._frame.height)
        if name not in self._read:
            self._read[name] = self._check.note(name, read(self._frame[name]))
        return self._read[name]

    def _days(self, name: str) -> pl.Series:
        """Days of what has taken place: an inspection, its report, its grades."""
        is_new = name not in self._read
        days = self._column(name, lambda cells: read_dates(_without_words(cells)), pl.Date())
        if is_new:
            check_days_not_ahead(self._check, name, days, self._today)
        return days

    def _words(self, name: str | None, read: Callable[[str], str | Unreadable | None]) -> pl.Series:
        """Official words by their codes here; one that isn't known is kept as it was published, with a warning."""

        def column(cells: pl.Series) -> Parsed:
            strange: set[str] = set()

            def word(text: str) -> str | Unreadable | None:
                known = read(text)
                if isinstance(known, Unreadable) and (published := published_word(text)) is not None:
                    strange.add(text)
                    return published
                return known

            parsed = read_column(cells, word, pl.String())
            if strange:
                counts = cells.filter(cells.is_in(list(strange))).value_counts()
                for text, times in counts.sort(counts.columns).iter_rows():
                    detail = f"{shown(text)} is no word of Ofsted's that is known here; it is kept as published."
                    self._check.warn(name, RowCode.UNKNOWN_WORD, detail, times)
                self._check.tally(str(name)).add(Tally(unrecognised=int(counts["count"].sum())))
            return parsed

        return self._column(name, column, pl.String())

    def every_inspection(self) -> pl.DataFrame:
        """The inspections that these rows hold, up to four a row, with `row`."""
        held = {part: self._is_held(part) for part in PARTS}
        is_card = self._is_report_card()
        held[REPORT_CARD] &= is_card
        held[OVERALL_GRADE] &= ~is_card
        found = pl.concat([self._inspections(part, is_held) for part, is_held in held.items()])
        return self._with_latest_category(found)

    def _is_report_card(self) -> pl.Series:
        """Of which framework the set of columns is that both share: the one that it has answers of; of rows with both,
        or with a category alone, the day decides."""
        card, graded = (self._has_answer(part) for part in (REPORT_CARD, OVERALL_GRADE))
        mixed = card & graded
        if mixed.any():
            detail = (
                "Rows have grades of both frameworks for one inspection. Those of the framework of its day (report "
                f"cards since {REPORT_CARDS_SINCE}) are kept, the others left out."
            )
            self._check.warn(REPORT_CARD.date, RowCode.FRAMEWORKS_MIXED, detail, int(mixed.sum()))
        by_day = (self._days(REPORT_CARD.date) >= REPORT_CARDS_SINCE).fill_null(value=True)
        return (card & ~graded) | ((card == graded) & by_day)

    def _has_answer(self, part: Part) -> pl.Series:
        """Where a row has a grade, a finding or an answer about safeguarding of this part."""
        return self._has_judgement(part) | self._words(part.safeguarding, read_safeguarding).is_not_null()

    def _has_judgement(self, part: Part) -> pl.Series:
        """Where a row has a grade or a finding of this part."""
        found = self._words(part.grade, read_grade).is_not_null()
        for column in part.judgements.values():
            found |= self._words(column, read_grade).is_not_null()
        outcome = self._column(part.outcome, read_texts, pl.String())
        return found | (outcome.is_not_null() & (outcome.str.to_uppercase() != "NULL"))

    def _is_held(self, part: Part) -> pl.Series:
        """Where a row has anything of this part: an answer, or a category alone."""
        return self._has_answer(part) | self._words(part.concern, read_concern).is_not_null()

    def _whose(self, part: Part, is_held: pl.Series) -> pl.Series:
        """The URN that an inspection is of; null where it is another school's that the row doesn't name."""
        then = self._column(part.urn, lambda cells: read_identifiers(_without_words(cells)), pl.Int32())
        answer = self._column(part.relates, read_texts, pl.String()).str.to_lowercase()
        lost = (is_held & then.is_null() & answer.is_in(["no", "n"])).fill_null(value=False)
        if lost.any():
            detail = "Inspections of another school, whose URN isn't stated, were passed over."
            self._check.warn(part.relates, RowCode.INSPECTION_OF_ANOTHER_SCHOOL, detail, int(lost.sum()))
        return then.fill_null(self._urns).set(lost, None)

    def _inspections(self, part: Part, is_held: pl.Series) -> pl.DataFrame:
        day = self._days(part.date)
        self._check.refuse(
            part.date,
            is_held & self._has_judgement(part) & day.is_null() & ~self._check.faulty,
            RowCode.VALUE_MISSING,
            lambda _: f"There is a grade, but {part.date!r} is empty.",
        )
        urns = self._whose(part, is_held & day.is_not_null())
        grade = self._words(part.grade, read_grade)
        found = pl.DataFrame(
            {
                "row": self._frame["row"],
                "urn": urns,
                "inspected_on": day,
                "published_on": self._days(part.published),
                "kind": pl.Series(values=[part.kind]).new_from_index(0, self._frame.height),
                "overall_grade": grade,
                "category_of_concern": self._words(part.concern, read_concern),
                "safeguarding": self._words(part.safeguarding, read_safeguarding),
                "judgements": self._judgements(part),
                "graded_on": self._graded_on(part),
                **self._columns_of(part),
            }
        ).filter(is_held & day.is_not_null() & urns.is_not_null())
        is_concern = pl.col("overall_grade").is_in(["special_measures", "serious_weaknesses"])
        return found.with_columns(
            pl.coalesce("category_of_concern", pl.when(is_concern).then(pl.col("overall_grade"))).alias(
                "category_of_concern"
            )
        )

    def _columns_of(self, part: Part) -> dict[str, pl.Series]:
        """What the file states of these inspections: details for which it has a column, and areas whose days it has."""
        columns = {
            "published_on": part.published,
            "overall_grade": part.grade,
            "category_of_concern": part.concern,
            "safeguarding": part.safeguarding,
            "latest_category_of_concern": LATEST_CATEGORY,
            **part.judgements,
            "outcome": part.outcome,
        }
        named = {"stated": columns, "dated": part.graded_on}
        return {
            name: pl.Series(values=[self._there(said)]).new_from_index(0, self._frame.height)
            for name, said in named.items()
        }

    def _there(self, columns: Mapping[str, str | None]) -> str:
        """The names of the columns that the file has, as an array of Postgres."""
        return f"{{{','.join(name for name, column in columns.items() if column in self._frame.columns)}}}"

    def _judgements(self, part: Part) -> pl.Series:
        areas = {area: self._words(column, read_grade) for area, column in part.judgements.items()}
        areas["outcome"] = self._column(part.outcome, read_texts, pl.String())
        return _as_json(areas, self._frame.height).fill_null("{}")

    def _graded_on(self, part: Part) -> pl.Series:
        """The days of the grades that the file states, whatever the day of the inspection."""
        days = {area: self._days(name).cast(pl.String) for area, name in part.graded_on.items()}
        return _as_json(days, self._frame.height)

    def _with_latest_category(self, found: pl.DataFrame) -> pl.DataFrame:
        """The category that a row gives for today goes to its newest inspection; `none` where it says that there is
        none, null where the file doesn't say."""
        if LATEST_CATEGORY not in self._frame.columns:
            return found.with_columns(pl.lit(None, dtype=pl.String).alias("latest_category_of_concern"))
        said = self._words(LATEST_CATEGORY, read_concern).fill_null(NONE)
        latest = pl.DataFrame({"row": self._frame["row"], "latest_category_of_concern": said})
        newest = pl.col("inspected_on").rank("ordinal", descending=True).over("row") == 1
        joined = found.join(latest, on="row", how="left", maintain_order="left")
        return joined.with_columns(
            pl.when(newest).then(pl.col("latest_category_of_concern")).alias("latest_category_of_concern")
        )


def _without_words(cells: pl.Series) -> pl.Series:
    """Cells of days and numbers without the words that stand there for nothing (`Not applicable`)."""
    plain = cells.str.strip_chars().str.to_lowercase()
    return cells.set(
        plain.is_in(["not applicable", "not judged", "not available", "none"]).fill_null(value=False), None
    )


def _as_json(cells: dict[str, pl.Series], height: int) -> pl.Series:
    """Objects out of columns, without what is empty; null where nothing is left."""
    rows = pl.DataFrame(cells).iter_rows(named=True) if cells else ({} for _ in range(height))
    objects = ({name: cell for name, cell in row.items() if cell} for row in rows)
    return pl.Series([json.dumps(found) if found else None for found in objects], dtype=pl.String)


def _category_differs(found: pl.DataFrame) -> Iterator[ReadingWarning]:
    """A warning that names the report cards whose category isn't the one that follows from their grades."""
    differing = []
    cards = found.filter(kind=REPORT_CARD.kind).select(
        "row", "urn", "category_of_concern", "safeguarding", "judgements"
    )
    for row, urn, published, safeguarding, judgements in cards.iter_rows():
        expected = categories_by_grades(json.loads(judgements), safeguarding)
        if judgements != "{}" and (published or NONE) not in expected:
            by_grades = " or ".join(sorted(word.replace("_", " ") for word in expected))
            stated = (published or NONE).replace("_", " ")
            differing.append(f"URN {urn} (row {row}): published {stated}, by its grades {by_grades}")
    if differing:
        more = f"; and {len(differing) - MOST_LISTED:,} more" if len(differing) > MOST_LISTED else ""
        detail = (
            "The published category of concern isn't the one that follows from the grades; it is kept as published. "
            f"{'; '.join(differing[:MOST_LISTED])}{more}."
        )
        yield ReadingWarning(CATEGORY, RowCode.CATEGORY_DIFFERS, detail)


def _keep_first(found: pl.DataFrame, reading: Reading) -> None:
    key = ["urn", "inspected_on", "kind"]
    kept = found.unique(key, keep="first", maintain_order=True)
    again = found.filter(~pl.struct(key).is_first_distinct())
    first = kept.select(*key, pl.col("row").alias("first"), pl.col("overall_grade").alias("before"))
    for row in again.join(first, on=key, how="left", maintain_order="left").head(MOST_NAMED).iter_rows(named=True):
        if row["row"] != row["first"]:
            differs = "" if row["overall_grade"] == row["before"] else ", with another grade"
            detail = f"Row {row['row']} repeats the inspection of row {row['first']}{differs}; the first stands."
            reading.warnings.append(ReadingWarning(None, RowCode.INSPECTION_REPEATED, detail))
    reading.rows_accepted = kept["row"].n_unique()
    reading.rows_ignored -= reading.rows_accepted
    reading.put("inspections", kept.select(pl.col(n).cast(t) for n, t in SCHEMAS["inspections"].items()))
