"""Tables of Explore education statistics: a row a place, year and group of pupils, a column a figure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import read_column, read_identifiers
from academy.imports.formats.cells.faults import Checker, Seen, check_not_ahead, ending
from academy.imports.formats.cells.values import read_year
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.layouts.figures import (
    ENGLAND,
    Figure,
    FigureReader,
    as_comparisons,
    as_observations,
    check_published,
    columns_of,
)
from academy.imports.formats.reading import Column, Reading, ReadingWarning, Request, RowError
from sector.terms import TIME_IDENTIFIERS

WHOLE_YEAR_SESSIONS: Final = 340
"""A school year has at least 380 half-day sessions (190 days), of which leavers miss some: whole years come
to 360 and more for each pupil enrolled, a year until May to about 310."""

LEVELS: Final = {
    "national": "england",
    "regional": "region",
    "local authority": "la",
    "school": "school",
    "institution": "school",
}
PHASES: Final = {
    "total": "all",
    "primary": "primary",
    "state-funded primary": "primary",
    "secondary": "secondary",
    "state-funded secondary": "secondary",
    "special": "special",
    "state-funded special": "special",
}
SECTORS: Final = {
    "all state-funded": "state_funded",
    "all state funded": "state_funded",
    "state-funded": "state_funded",
    "state funded": "state_funded",
    "all schools": "all",
    "total": "all",
}
_TOPICS: Final = {
    "disadvantage", "disadvantage status", "disadvantaged status", "first language", "gender", "sex",
    "mobility", "mobility status", "prior attainment", "total", "all pupils",
}  # fmt: skip
GROUPS: Final = {
    "total": "all",
    "all pupils": "all",
    "boys": "boys",
    "girls": "girls",
    "disadvantaged": "disadvantaged",
    "disadvantaged all other": "not_disadvantaged",
    "not known to be disadvantaged": "not_disadvantaged",
    "all other pupils": "not_disadvantaged",
    "known or believed to be english": "english_first_language",
    "known or believed to be other than english": "eal",
    "non mobile": "non_mobile",
    "non-mobile": "non_mobile",
    **{f"{word}{ending}": group
       for word, group in {"low": "prior_low", "middle": "prior_middle", "high": "prior_high"}.items()
       for ending in ("", " prior attainment")},
}  # fmt: skip

KEYS: Final = (
    Column("time_period", "Academic year in six digits", required=True, example="202425"),
    Column("time_identifier", "Academic year, or a term; the academic year when absent", example="Academic year"),
    Column("geographic_level", "National, Regional, Local authority or School", required=True, example="School"),
    Column("region_code", "Code of the region, for its own rows"),
    Column("old_la_code", "Three-digit number of the local authority, for its own rows", example="850"),
)
URN_COLUMN: Final = Column("school_urn", "Unique reference number of the school", example="137315")
BREAKDOWN: Final = (
    Column("breakdown_topic", "How pupils are grouped; rows with two groupings at once are left out", example="Total"),
    Column("breakdown", "The group of pupils", example="Total"),
    Column("establishment_type_group", "For areas: all schools, or all state-funded ones", example="All schools"),
)
PHASE_COLUMN: Final = Column(
    "education_phase", "Primary, Secondary, Special or Total", aliases=("school_type",), example="Secondary"
)


@dataclass(frozen=True, slots=True)
class TidyTable:
    """A layout: its figures, by the subject that the row names where a table has subjects ("" where not)."""

    source: str
    keys: tuple[Column, ...]
    figures: Mapping[str, tuple[Figure, ...]]
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    subject_column: str | None = None
    sessions: tuple[str, str] | None = None
    """The columns of possible sessions and of pupils, which show whether a year is whole."""
    narrow: Callable[[pl.DataFrame], pl.DataFrame] | None = None
    """Leaves out rows that have other columns to be told apart by; the others are sorted by the usual ones."""

    def columns(self) -> tuple[Column, ...]:
        """Every column that is read."""
        every = [figure for figures in self.figures.values() for figure in figures]
        sessions = (
            Column(name, meaning)
            for name, meaning in zip(self.sessions or (), ("Possible sessions", "Pupils enrolled"), strict=False)
        )
        columns = (*self.keys, *columns_of(every, self.aliases))
        named = {column.name for column in columns}
        return (*columns, *(column for column in sessions if column.name not in named))


def read_tidy(sheet: CsvFile, request: Request, table: TidyTable) -> Iterator[Reading]:
    """Read such a table. A year given with the file must be among the file's own."""
    chosen = sheet.choose(table.columns())
    present = {
        subject: tuple(figure for figure in figures if figure.value in chosen)
        for subject, figures in table.figures.items()
    }
    first = Reading(source=table.source, warnings=sheet.warnings, done=0.0)
    first.refuse(sheet.errors)
    if not any(present.values()):
        names = list(dict.fromkeys(f.value for figures in table.figures.values() for f in figures))
        detail = f"None of the figures is there: at least one of {', '.join(names)}."
        first.refuse([RowError(1, None, RowCode.COLUMN_MISSING, detail)])
    yield first
    if not first.is_valid:
        return
    seen = Seen("school or area, group of pupils, subject, year and period")
    years: set[str] = set()
    rows = 0
    for frame, ragged, done in sheet.batches(chosen):
        reading, kept = _batch(frame, ragged, table, present, request)
        keys = ["urn", "area", "area_code", "sector", "phase", "subject", "pupil_group", "academic_year", "period"]
        seen.add(kept.select(keys), kept["row"], without=kept["is_keyless"])
        years.update(kept["academic_year"].drop_nulls().unique())
        rows += reading.rows_read
        reading.done = done
        yield reading
    last = ending(seen, rows)
    last.warn(sheet.last_warnings())
    last.source = " ".join([table.source, ", ".join(sorted(years))])
    _compare_years(request, years, last)
    yield last


def _compare_years(request: Request, years: set[str], last: Reading) -> None:
    """Compare the file's years with the one that was sent with it, which must be among them."""
    wanted = request.academic_year
    if wanted is None or not years:
        return
    listed = ", ".join(sorted(years))
    if wanted not in years:
        detail = f"The file is about {listed}, not about {wanted}."
        last.refuse([RowError(None, "time_period", RowCode.ACADEMIC_YEAR_DIFFERS, detail)])
    elif len(years) > 1:
        detail = f"The file is about {listed}, not only about {wanted}; each row names its year, and all are kept."
        last.warnings.append(ReadingWarning("time_period", RowCode.ACADEMIC_YEARS_SEVERAL, detail))


def _word(frame: pl.DataFrame, name: str, otherwise: str = "") -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(otherwise)
    return pl.col(name).str.strip_chars().str.to_lowercase().fill_null(otherwise)


def _coded(words: pl.Expr, codes: Mapping[str, str]) -> pl.Expr:
    return words.replace_strict(dict(codes), default=None, return_dtype=pl.String)


def _sort_rows(frame: pl.DataFrame, table: TidyTable) -> pl.DataFrame:
    """Add what each row is about; `is_kept` is false where we have no measure or group for it."""
    level = _coded(_word(frame, "geographic_level"), LEVELS)
    is_school = level == "school"
    topic = _word(frame, "breakdown_topic", "total")
    area_code = pl.coalesce(
        pl.when(level == "england").then(pl.lit(ENGLAND)),
        *(
            pl.when(level == area).then(pl.col(name).str.strip_chars())
            for area, name in (("region", "region_code"), ("la", "old_la_code"))
            if name in frame.columns
        ),
    )
    subject = _word(frame, table.subject_column) if table.subject_column else pl.lit("")
    return (
        frame.with_columns(
            pl.when(~is_school).then(level).alias("area"),
            area_code.alias("area_code"),
            _coded(_word(frame, "establishment_type_group", "all state-funded"), SECTORS).alias("sector"),
            _coded(_word(frame, "education_phase", "total"), PHASES).alias("phase"),
            subject.alias("subject"),
            pl.when(topic.is_in(_TOPICS)).then(_coded(_word(frame, "breakdown", "total"), GROUPS)).alias("pupil_group"),
            _coded(_word(frame, "time_identifier", "academic year"), TIME_IDENTIFIERS).alias("period"),
            level.alias("level"),
        )
        .with_columns(
            pl.all_horizontal(
                pl.col("level", "pupil_group", "period").is_not_null(),
                pl.col("subject").is_in(list(table.figures)),
                pl.col("area").is_null() | pl.all_horizontal(pl.col("area_code", "sector", "phase").is_not_null()),
            ).alias("is_kept")
        )
        .with_columns(
            # A school's rows name its type, which is the same in all of them.
            pl.when(pl.col("area").is_not_null()).then(pl.col(name)).alias(name)
            for name in ("area_code", "sector", "phase")
        )
    )


def _batch(
    frame: pl.DataFrame,
    ragged: list[RowError],
    table: TidyTable,
    present: Mapping[str, tuple[Figure, ...]],
    request: Request,
) -> tuple[Reading, pl.DataFrame]:
    reading = Reading(rows_read=frame.height)
    narrowed = frame if table.narrow is None else table.narrow(frame)
    kept = _sort_rows(narrowed, table).filter(pl.col("is_kept"))
    if _is_part_year(kept, table):
        kept = kept.with_columns(pl.col("period").replace({"year": "year_to_date"}))
        detail = "The figures are of a part of the year so far, and are kept as year_to_date."
        reading.warnings.append(ReadingWarning("time_identifier", RowCode.PART_YEAR, detail))
    check = Checker(kept["row"])
    check.ragged(ragged)
    is_school = kept["area"].is_null()
    kept = kept.with_columns(_urns(check, kept, is_school).alias("urn"), _years(check, kept).alias("academic_year"))
    check_not_ahead(check, "time_period", kept["academic_year"], request.latest_year)
    keyless = check.faulty_in("school_urn", "time_period")
    kept = kept.with_columns((pl.lit(value=False) if keyless is None else keyless).alias("is_keyless"))
    total, errors, faulty = check.total, check.errors(), check.faulty
    schools, areas = [], []
    for subject, rows in kept.with_row_index("place").group_by("subject", maintain_order=True):
        inner = Checker(rows["row"])
        inner.unread = check.unread.gather(rows["place"])
        reader = FigureReader(rows, inner)
        about = rows.select("urn", "area", "area_code", "sector", "phase", "pupil_group", "academic_year", "period")
        for figure in present[str(subject[0])]:
            found = pl.concat([about, reader.read(figure)], how="horizontal").with_columns(
                pl.lit(figure.measure).alias("measure")
            )
            check_published(inner, figure, found, rows["area"].is_null())
            schools.append(found.filter(pl.col("area").is_null()))
            areas.append(found.filter(pl.col("area").is_not_null()))
        total += inner.total
        errors += inner.errors()
        reading.warn(inner.warnings)
        reading.count(inner.tallies)
        faulty = faulty.scatter(rows["place"].filter(inner.faulty), True)
    accepted = ~faulty
    reading.comparison_rows = int((~is_school & accepted).sum())
    has_schools = "school_urn" in frame.columns
    reading.rows_accepted = int((accepted & is_school).sum()) if has_schools else reading.comparison_rows
    reading.rows_ignored = frame.height - reading.rows_accepted - int(faulty.sum())
    reading.warn(check.warnings)
    reading.refuse_many(sorted(errors, key=lambda e: (e.row or 0, e.column or "")), total)
    if total == 0:
        reading.put("observations", as_observations([part for part in schools if part.height]))
        reading.put("comparison_figures", as_comparisons([part for part in areas if part.height]))
    return reading, kept


def _is_part_year(kept: pl.DataFrame, table: TidyTable) -> bool:
    if table.sessions is None or not set(table.sessions) <= set(kept.columns):
        return False
    possible, pupils = (kept[name].cast(pl.Float64, strict=False) for name in table.sessions)
    each = (possible / pupils).filter((kept["period"] == "year") & (pupils > 0)).max()
    return isinstance(each, float) and each < WHOLE_YEAR_SESSIONS


def _urns(check: Checker, kept: pl.DataFrame, is_school: pl.Series) -> pl.Series:
    if "school_urn" not in kept.columns:
        check.refuse(
            "school_urn", is_school, RowCode.URN_MISSING, lambda _: "The row is a school's, and there is no school_urn."
        )
        return pl.Series(values=[None], dtype=pl.Int32).new_from_index(0, kept.height)
    cells = kept["school_urn"].set(~is_school, None)
    parsed = read_identifiers(cells)
    urns = check.urns("school_urn", cells, parsed, required=False)
    missing = is_school & parsed.values.is_null() & ~parsed.faulty
    check.refuse("school_urn", missing, RowCode.URN_MISSING, lambda _: "The row has no URN.")
    return urns


def _years(check: Checker, kept: pl.DataFrame) -> pl.Series:
    cells = kept["time_period"]
    parsed = read_column(cells, read_year, pl.String())
    years = check.note("time_period", parsed)
    missing = years.is_null() & ~parsed.faulty
    check.refuse("time_period", missing, RowCode.ACADEMIC_YEAR_MISSING, lambda _: "The row has no time_period.")
    return years
