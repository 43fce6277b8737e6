"""Tables with a row a school and a column a figure: the performance tables, and the census and absence
files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import read_identifiers
from academy.imports.formats.cells.faults import Checker, Seen, ending
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.layouts.figures import (
    Figure,
    FigureReader,
    as_comparisons,
    as_observations,
    check_published,
    columns_of,
)
from academy.imports.formats.reading import Column, FileRefused, Reading, ReadingWarning, Request, RowError
from academy.measures.rules import why_not_published


@dataclass(frozen=True, slots=True)
class WideTable:
    """A layout. `sort_rows` adds to each row an `area` (null for a school), `area_code`, `sector` and
    `phase`, and `is_kept`: false for records that are neither a school nor an area that is compared with."""

    source: str
    keys: tuple[Column, ...]
    figures: tuple[Figure, ...]
    sort_rows: Callable[[pl.DataFrame], pl.DataFrame]
    aliases: dict[str, tuple[str, ...]]

    def columns(self) -> tuple[Column, ...]:
        """Every column that is read."""
        return (*self.keys, *columns_of(self.figures, self.aliases))


def the_year(request: Request) -> str:
    """The academic year that was sent with the file, which doesn't contain it. Raises FileRefused without one."""
    if request.academic_year is None:
        detail = "The file doesn't contain its academic year: send academic_year, such as 2018/19."
        raise FileRefused(RowCode.ACADEMIC_YEAR_MISSING, detail)
    return request.academic_year


def read_wide(sheet: CsvFile, request: Request, table: WideTable) -> Iterator[Reading]:
    """Read such a table. At least one figure must be there; figures that the file doesn't have are left alone."""
    year = the_year(request)
    chosen = sheet.choose(table.columns())
    present = [figure for figure in table.figures if figure.value in chosen]
    first = Reading(source=f"{table.source} {year}", warnings=sheet.warnings, done=0.0)
    first.refuse(sheet.errors)
    if not present:
        headline = list(dict.fromkeys(f.value for f in table.figures if f.group == "all"))
        detail = f"None of the figures is there: at least one of {', '.join(headline)}."
        first.refuse([RowError(1, None, RowCode.COLUMN_MISSING, detail)])
    yield first
    if not first.is_valid:
        return
    seen = Seen("URN")
    rows, passed_over = 0, 0
    for frame, ragged, done in sheet.batches(chosen):
        reading, urns = _batch(frame, ragged, table, present, year)
        rows += reading.rows_read
        passed_over += _schools_passed_over(frame, table)
        seen.add(urns.select("urn"), urns["row"], without=urns["urn"].is_null())
        reading.done = done
        yield reading
    last = ending(seen, rows)
    last.warn(sheet.last_warnings())
    if passed_over:
        detail = f"Rows that have a URN, but a RECTYPE that is empty or unknown, were passed over: {passed_over}."
        last.warnings.append(ReadingWarning("RECTYPE", RowCode.UNKNOWN_RECORD, detail))
    yield last


def _schools_passed_over(frame: pl.DataFrame, table: WideTable) -> int:
    """How many rows have a URN, as a school's row has, but aren't marked as a school's."""
    if "RECTYPE" not in frame.columns:
        return 0
    left_out = table.sort_rows(frame).filter(~pl.col("is_kept").fill_null(value=False))
    return int(left_out["URN"].str.contains(r"^\s*\d+(\.0+)?\s*$").sum())


def _batch(
    frame: pl.DataFrame, ragged: list[RowError], table: WideTable, present: Sequence[Figure], year: str
) -> tuple[Reading, pl.DataFrame]:
    reading = Reading(rows_read=frame.height)
    sorted_rows = table.sort_rows(frame)
    kept = sorted_rows.filter(pl.col("is_kept"))
    check = Checker(kept["row"])
    check.ragged(ragged)
    is_school = kept["area"].is_null()
    urns = _urns(check, kept, is_school)
    reader = FigureReader(kept, check)
    places = kept.select("area", "area_code", "sector", "phase")
    schools, areas = [], []
    for figure in present:
        found = reader.read(figure).with_columns(
            pl.lit(figure.measure).alias("measure"),
            pl.lit(figure.group).alias("pupil_group"),
            pl.lit(year).alias("academic_year"),
            pl.lit("year").alias("period"),
        )
        check_published(check, figure, found, is_school)
        schools.append(found.with_columns(urns).filter(is_school))
        areas.append(pl.concat([places, found], how="horizontal").filter(~is_school))
    schools.extend(_unpublished(urns.filter(is_school), present, table.figures, year))
    good = ~check.faulty
    reading.rows_accepted = int((is_school & good).sum())
    reading.comparison_rows = int((~is_school & good).sum())
    reading.rows_ignored = frame.height - kept.height + reading.comparison_rows
    check.report(reading)
    if check.total == 0:
        reading.put("observations", as_observations(schools))
        reading.put("comparison_figures", as_comparisons(areas))
    return reading, pl.DataFrame({"urn": urns, "row": kept["row"]}).filter(is_school)


def _urns(check: Checker, kept: pl.DataFrame, is_school: pl.Series) -> pl.Series:
    # An area has no URN, or a word in its place (NAT): only schools are read.
    cells = kept["URN"].set(~is_school, None)
    parsed = read_identifiers(cells)
    urns = check.urns("URN", cells, parsed, required=False)
    missing = is_school & parsed.values.is_null() & ~parsed.faulty
    check.refuse("URN", missing, RowCode.URN_MISSING, lambda _: "The row has no URN.")
    return urns.alias("urn")


def _unpublished(
    urns: pl.Series, present: Sequence[Figure], every: Sequence[Figure], year: str
) -> Iterator[pl.DataFrame]:
    """What this table would hold, had it been published in this year: for each school, all pupils."""
    there = {figure.measure for figure in present}
    for measure in dict.fromkeys(figure.measure for figure in every if figure.group == "all"):
        if measure not in there and why_not_published(measure, year) is not None:
            yield pl.DataFrame({"urn": urns}).with_columns(
                pl.lit(measure).alias("measure"),
                pl.lit("all").alias("pupil_group"),
                pl.lit(year).alias("academic_year"),
                pl.lit("year").alias("period"),
                pl.lit("not_published").alias("reason"),
            )
