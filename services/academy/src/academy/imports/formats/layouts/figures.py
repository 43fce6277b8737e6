"""From cells to figures: a value or a reason, its interval, cohort and band, checked against the
catalogue."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from academy.imports.formats.cells.columns import Parsed, read_bands, read_numbers, read_whole_numbers
from academy.imports.formats.cells.faults import Checker
from academy.imports.formats.cells.values import shown
from academy.imports.formats.reading import SCHEMAS, Column
from academy.measures.catalogue import NO_EXAMS, NO_SCHOOL_KS2
from academy.measures.rules import MEASURES, PUPIL_GROUPS, Measure

ENGLAND = "E92000001"
"""The code of England as an area."""

_UNEXPLAINED = ("not_available", "not_applicable")


@dataclass(frozen=True, slots=True)
class Figure:
    """Where a table has one figure: the columns of its value, interval, cohort and published band."""

    measure: str
    group: str
    value: str
    lower: str | None = None
    upper: str | None = None
    cohort: str | None = None
    band: str | None = None


def columns_of(figures: Iterable[Figure], aliases: dict[str, tuple[str, ...]] | None = None) -> list[Column]:
    """The columns that these figures need, each once, with what it means."""
    aliases = aliases or {}
    columns: dict[str, Column] = {}
    for figure in figures:
        subject = f"{MEASURES[figure.measure].title}, {PUPIL_GROUPS[figure.group]}"
        meanings = {
            figure.value: subject,
            figure.lower: f"{subject}: lower limit of the 95% interval",
            figure.upper: f"{subject}: upper limit of the 95% interval",
            figure.cohort: f"Number of pupils: {PUPIL_GROUPS[figure.group]}",
            figure.band: f"{subject}: published band",
        }
        for name, meaning in meanings.items():
            if name is not None and name not in columns:
                columns[name] = Column(name, meaning, aliases=aliases.get(name, ()))
    return list(columns.values())


class FigureReader:
    """Reads the figures of a batch of rows. A column that several figures share is read, and faulted,
    once."""

    def __init__(self, frame: pl.DataFrame, check: Checker) -> None:
        self._frame = frame
        self._check = check
        self._read: dict[str, Parsed] = {}

    def _column(self, name: str, read: Callable[[pl.Series], Parsed]) -> Parsed:
        if name not in self._read:
            self._read[name] = read(self._frame[name])
            self._check.note(name, self._read[name])
        return self._read[name]

    def _has(self, name: str | None) -> str | None:
        return name if name is not None and name in self._frame.columns else None

    def read(self, figure: Figure) -> pl.DataFrame:
        """Value, reason, lower, upper, cohort and published_band of every row; `blank` where the cell was
        empty."""
        number = self._column(figure.value, read_numbers)
        check_range(self._check, figure, number, self._frame[figure.value])
        empty: dict[str, pl.Series] = {}
        for part, name in (("lower", figure.lower), ("upper", figure.upper)):
            if found := self._has(name):
                empty[part] = self._column(found, read_numbers).values
        if len(empty) == 2:
            check_interval(self._check, str(figure.lower), empty["lower"], empty["upper"])
        if found := self._has(figure.cohort):
            empty["cohort"] = check_cohort(self._check, found, self._column(found, read_whole_numbers))
        if found := self._has(figure.band):
            empty["published_band"] = self._column(found, read_bands).values
        has_value = number.values.is_not_null()
        columns = {
            "value": number.values,
            "reason": number.reasons,
            "blank": self._frame[figure.value].str.strip_chars().fill_null("") == "",
        }
        for part in ("lower", "upper", "cohort", "published_band"):
            dtype = SCHEMAS["observations"][part]
            series = empty.get(part)
            if series is None:
                series = pl.Series(values=[None], dtype=dtype).new_from_index(0, self._frame.height)
            elif part != "cohort":
                # An interval or a band without its value would say what the value was hidden for.
                series = series.set(~has_value, None)
            columns[part] = series
        return pl.DataFrame(columns)


def check_range(check: Checker, figure: Figure, number: Parsed, cells: pl.Series) -> None:
    """Note values that a figure of this measure can't have.

    A published percentage may pass 100, where pupils are counted on one day and what they are divided by on another:
    the census of 2024/25 has 104.2. It is kept as published, with a warning, up to twice the whole; beyond that the
    cells are of another column.
    """
    column, measure = figure.value, MEASURES[figure.measure]
    highest = measure.maximum
    if figure.measure.endswith("_percent"):
        highest *= 2
        if (number.values > measure.maximum + 1e-9).any():
            detail = f"Values above {measure.maximum:g} are kept as published ({measure.title})."
            check.warn(column, "above-the-whole", detail)
    outside = (number.values < measure.minimum - 1e-9) | (number.values > highest + 1e-9)
    if outside.any():
        check.refuse(
            column,
            outside,
            "out-of-range",
            lambda place: (
                f"{shown(str(cells[place]))} is outside {measure.minimum:g} to {highest:g} ({measure.title})."
            ),
        )


def check_interval(check: Checker, column: str, lower: pl.Series, upper: pl.Series) -> None:
    """Note intervals that end before they begin."""
    check.refuse(
        column,
        lower > upper,
        "interval-reversed",
        lambda place: f"The interval is reversed: {lower[place]:g} to {upper[place]:g}.",
    )


def check_cohort(check: Checker, column: str, cohort: Parsed) -> pl.Series:
    """Note cohorts below 0; gives the cohorts."""
    check.refuse(column, cohort.values < 0, "out-of-range", lambda place: f"{cohort.values[place]} pupils can't be.")
    return cohort.values


def check_published(check: Checker, figure: Figure, found: pl.DataFrame, is_school: pl.Series) -> None:
    """Note values of years without publication: the file is of another year, or its cells of another column.

    `found` has the figure's `value`, `academic_year` and `period`. Terms of a year may be published without the
    year, and areas without their schools.
    """
    measure = MEASURES[figure.measure]
    has_value = found["value"].is_not_null() & (found["period"] == "year")
    for year, why in measure.not_published.items():
        there = has_value & (found["academic_year"] == year)
        if _is_of_schools_alone(measure, why):
            there = there & is_school
        detail = f"There is a value, but {measure.title} wasn't published for {year}. {why} Is academic_year right?"
        check.refuse(figure.value, there, "not-published-then", _always(detail))


def _always(detail: str) -> Callable[[int], str]:
    return lambda _: detail


def _is_of_schools_alone(measure: Measure, why: str) -> bool:
    """True when areas have figures all the same: tests of 2022, and exam grades that teachers gave in 2020 and
    2021, but no progress."""
    return why == NO_SCHOOL_KS2 or (why == NO_EXAMS and not measure.has_interval)


def with_gaps(figures: pl.DataFrame) -> pl.DataFrame:
    """The same figures, where an unexplained blank in a year without publication says `not_published`."""
    gaps = pl.DataFrame(
        [(code, year, True) for code, measure in MEASURES.items() for year in measure.not_published],
        schema={"measure": pl.String, "academic_year": pl.String, "is_gap": pl.Boolean},
        orient="row",
    )
    explained = (
        pl.when(pl.col("is_gap") & pl.col("reason").is_in(_UNEXPLAINED))
        .then(pl.lit("not_published"))
        .otherwise(pl.col("reason"))
    )
    joined = figures.join(gaps, on=["measure", "academic_year"], how="left", maintain_order="left")
    return joined.with_columns(explained.alias("reason")).drop("is_gap")


def as_observations(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Observations in the schema of their table, out of parts that have at least its key, value and
    reason."""
    schema = SCHEMAS["observations"]
    if not parts:
        return pl.DataFrame(schema=dict(schema))
    whole = pl.concat(parts, how="diagonal_relaxed")
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in whole]
    return with_gaps(whole.with_columns(missing)).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def as_comparisons(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Comparison figures in the schema of their table; empty cells are left out."""
    schema = SCHEMAS["comparison_figures"]
    if not parts:
        return pl.DataFrame(schema=dict(schema))
    whole = pl.concat(parts, how="diagonal_relaxed").filter(~pl.col("blank"))
    return with_gaps(whole).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
