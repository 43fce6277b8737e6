"""From cells to figures: a value or a reason, its interval, cohort and band, checked against the
catalogue."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import Parsed, read_bands, read_counts, read_numbers
from academy.imports.formats.cells.faults import Checker
from academy.imports.formats.cells.symbols import NOT_COUNTED
from academy.imports.formats.reading import SCHEMAS, Column
from academy.imports.formats.tallies import Tally
from academy.measures.catalogue import NO_EXAMS, NO_SCHOOL_KS2
from academy.measures.rules import MEASURES, PUPIL_GROUPS, Measure, Unit

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
    divisor: str | None = None
    """What the figure is a share of, where that isn't its cohort."""


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
            figure.divisor: "What shares are divided by: where it is 0 nothing was counted",
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
        check_range(self._check, figure, number.values)
        values, reasons = self._counted(figure, number)
        empty: dict[str, pl.Series] = {}
        for part, name in (("lower", figure.lower), ("upper", figure.upper)):
            if found := self._has(name):
                empty[part] = self._column(found, read_numbers).values
        if len(empty) == 2:
            reversed_ = _reversed(self._check, str(figure.lower), empty["lower"], empty["upper"])
            empty = {part: limits.set(reversed_, None) for part, limits in empty.items()}
            check_inside(self._check, figure.value, values, empty["lower"], empty["upper"])
        if found := self._has(figure.cohort):
            empty["cohort"] = self._pupils(found)
        if found := self._has(figure.band):
            empty["published_band"] = self._column(found, read_bands).values
        has_value = values.is_not_null()
        columns = {
            "value": values,
            "reason": reasons,
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

    def _counted(self, figure: Figure, number: Parsed) -> tuple[pl.Series, pl.Series]:
        """Values and reasons, where a 0 of nobody is no value: tables state a share of no pupils as 0."""
        if MEASURES[figure.measure].unit is Unit.PUPILS:
            return number.values, number.reasons
        if divisor := self._has(figure.divisor):
            pupils = self._column(divisor, read_numbers).values
        elif cohort := self._has(figure.cohort):
            pupils = self._column(cohort, read_counts).values
        else:
            return number.values, number.reasons
        nobody = (pupils == 0).fill_null(value=False)
        return without_nobody(self._check, figure.value, number.values, number.reasons, nobody)

    def _pupils(self, name: str) -> pl.Series:
        """A column of numbers of pupils; those below 0 are left out."""
        cohort = self._column(name, read_counts).values
        below = (cohort < 0).fill_null(value=False)
        if below.any():
            detail = "Numbers of pupils below 0 were left out; their figures are kept."
            self._check.warn(name, RowCode.COHORT_BELOW_ZERO, detail, int(below.sum()))
        return cohort.set(below, None)


def without_nobody(
    check: Checker, column: str, values: pl.Series, reasons: pl.Series, nobody: pl.Series
) -> tuple[pl.Series, pl.Series]:
    """Values and reasons, where a 0 in the rows where `nobody` was counted is no value but `not_counted`.

    Any other value of nobody is kept as it stands, with a warning.
    """
    if not nobody.any():
        return values, reasons
    stated = nobody & values.is_not_null()
    empty = (stated & (values == 0)).fill_null(value=False)
    if strange := int((stated & (values != 0)).sum()):
        check.warn(
            column, RowCode.VALUE_OF_NOBODY, "There are values where the number of pupils behind them is 0.", strange
        )
    return values.set(empty, None), reasons.set(empty, NOT_COUNTED)


def check_inside(check: Checker, column: str, values: pl.Series, lower: pl.Series, upper: pl.Series) -> None:
    """Note values outside of their own confidence interval: one of the three is wrong, and nobody knows which."""
    outside = ((values < lower).fill_null(value=False) | (values > upper).fill_null(value=False)) & ~(
        lower > upper
    ).fill_null(value=False)
    if outside.any():
        detail = "Values are outside their confidence interval; both are kept."
        check.warn(column, RowCode.OUTSIDE_INTERVAL, detail, int(outside.sum()))


def check_range(check: Checker, figure: Figure, values: pl.Series) -> None:
    """Note values that a figure of this measure usually can't have; they are kept as they were published.

    A percentage passes 100 where pupils are counted on one day and what they are divided by on another: the census of
    2024/25 has 104.2. A column of which most values are outside belongs to something else: that is judged at the end.
    """
    column, measure = figure.value, MEASURES[figure.measure]
    tally = check.tally(column, figure.measure)
    if measure.unit is Unit.PERCENT:
        count_percents(tally, values)
    above = int((values > measure.maximum + 1e-9).sum())
    below = int((values < measure.minimum - 1e-9).sum())
    tally.add(Tally(full=len(values) - values.null_count(), outside=above + below))
    if above and measure.unit is Unit.PERCENT:
        detail = f"Values above {measure.maximum:g} are kept as published ({measure.title})."
        several = f"Values above {measure.maximum:g} are kept as published."
        check.warn(column, RowCode.ABOVE_THE_WHOLE, detail, above, of_several=several, measure=measure.title)
        above = 0
    if above + below:
        bounds = f"{measure.minimum:g} to {measure.maximum:g}"
        detail = f"Values outside {bounds} are kept as published ({measure.title})."
        several = f"Values outside {bounds} are kept as published."
        check.warn(column, RowCode.OUTSIDE_THE_USUAL, detail, above + below, of_several=several, measure=measure.title)


def count_percents(tally: Tally, values: pl.Series) -> None:
    """Count what shows whether percentages were written as fractions."""
    highest = values.max()
    if isinstance(highest, float) and highest > 0:
        tally.add(Tally(positive=int((values > 0).sum()), highest=highest))


def _reversed(check: Checker, column: str, lower: pl.Series, upper: pl.Series) -> pl.Series:
    """Where a published interval ends before it begins: it can't be kept, its figure is."""
    reversed_ = (lower > upper).fill_null(value=False)
    if reversed_.any():
        detail = "Intervals that end before they begin were left out; their figures are kept."
        check.warn(column, RowCode.INTERVAL_REVERSED, detail, int(reversed_.sum()))
    return reversed_


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
        check.refuse(figure.value, there, RowCode.NOT_PUBLISHED_THEN, _always(detail))


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
