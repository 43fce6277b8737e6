"""The DfE's School Profiles data (JSON): the register, and figures of schools, local authorities and England.

Its files differ in their keys. Each figure's key says how many years before the file's own year it
is of.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import orjson
import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import read_identifiers
from academy.imports.formats.cells.faults import Checker, Seen, ending
from academy.imports.formats.cells.schools import (
    STATUS_WORDS,
    STATUSES_LISTED,
    laestab_of,
    phase_of,
    status_of,
    whole,
)
from academy.imports.formats.cells.values import MOST_SHOWN, shown
from academy.imports.formats.layouts.csv_file import unknown_columns
from academy.imports.formats.layouts.figures import (
    ENGLAND,
    Figure,
    FigureReader,
    as_comparisons,
    as_observations,
    check_published,
)
from academy.imports.formats.layouts.register import Rows, as_table, columns_in_file
from academy.imports.formats.layouts.text_file import check_text, open_text
from academy.imports.formats.layouts.wide_table import the_year
from academy.imports.formats.publications.dfe_profile_keys import Key, parse_key
from academy.imports.formats.reading import Column, FileRefused, Reading, Request, RowError
from academy.measures.rules import MEASURES, why_not_published
from kit.names import repeated_name
from sector.years import shift_year

SOURCE: Final = "DfE School Profiles"
LARGEST: Final = 256 << 20
"""JSON is read whole; the file of all schools has a tenth of this."""

MOST_ITEMS: Final = 1 << 17
"""Twice the schools that the register has ever held."""

MOST_VALUES: Final = 1 << 23
"""Two or three times as many as the file of all schools has; each takes 100 bytes or so."""

REGISTER_COLUMNS: Final = (
    Column("id", "URN of the school, number of the local authority, or 1 for England", required=True, example="135874"),
    Column("EstablishmentName", "Name of the school (in the register)", example="Manchester Enterprise Academy"),
    Column("LAId", "Number of the local authority"),
    Column("LAName", "Name of the local authority"),
    Column("EstablishmentNumber", "Number within the local authority"),
    Column("RegionName", "Region"),
    Column("PhaseOfEducationId", "Phase, by number"),
    Column("PhaseOfEducationName", "Phase, by name"),
    Column("TypeOfEstablishmentId", "Type, by number"),
    Column("TypeOfEstablishmentName", "Type, by name"),
    Column("StatusCode", "1 open, 2 closed, 3 proposed to close, 4 proposed to open"),
    Column("UKPRN", "UK provider reference number"),
    Column("AgeRangeLow", "Youngest age"),
    Column("AgeRangeHigh", "Oldest age"),
    Column("TotalPupils", "Pupils on roll"),
    Column("TotalCapacity", "Places"),
    Column("AddressTown", "Town"),
    Column("AddressPostcode", "Postcode"),
)
_SOURCES: Final = {
    "ukprn": "UKPRN",
    "laestab": "EstablishmentNumber",
    "la_code": "LAId",
    "la_name": "LAName",
    "type_code": "TypeOfEstablishmentId",
    "type_name": "TypeOfEstablishmentName",
    "phase": ("PhaseOfEducationId", "PhaseOfEducationName", "TypeOfEstablishmentId", "TypeOfEstablishmentName"),
    "status": "StatusCode",
    "low_age": "AgeRangeLow",
    "high_age": "AgeRangeHigh",
    "pupils": "TotalPupils",
    "capacity": "TotalCapacity",
    "town": "AddressTown",
    "postcode": "AddressPostcode",
    "region": "RegionName",
}
COLUMNS: Final = (
    *REGISTER_COLUMNS,
    Column("Attainment8_Tot_Est_Current_Num", "A figure: what, of whom, where, which year", example="46.4"),
    Column("EngMaths59_Tot_Est_Previous_Pct", "The same of the year before the file's own", example="42.8"),
    Column("Prog8_Tot_Est_Previous2_Num", "The same of two years before", example="-0.72"),
)


def read_profiles(path: Path, request: Request) -> Iterator[Reading]:
    """Read a file of any of its shapes."""
    items = _load(path)
    reading = Reading(source=SOURCE, rows_read=len(items))
    names = list(dict.fromkeys(name for item in items if isinstance(item, dict) for name in item))
    keys = [key for name in names if (key := parse_key(name)) is not None]
    is_register = "EstablishmentName" in names
    read = {column.name for column in REGISTER_COLUMNS} if is_register else {"id", *(key.name for key in keys)}
    reading.warnings.extend(unknown_columns([name for name in names if name not in read and name != "URN"]))
    if items and not is_register and not keys:
        detail = (
            "None of the keys is known: this is neither the register (EstablishmentName) nor performance, "
            "absence or destinations (such as Attainment8_Tot_Est_Current_Num)."
        )
        raise FileRefused(RowCode.UNKNOWN_SHAPE, detail)
    frame, wrong = _cells(items, [name for name in names if name in read])
    check = Checker(frame["row"])
    check.ragged(wrong)
    seen = Seen("id")
    if frame.height and "id" not in frame.columns:
        reading.refuse([RowError(None, "id", RowCode.COLUMN_MISSING, "The required key 'id' is missing.")])
    elif is_register:
        _register(frame, check, reading)
    elif frame.height:
        _figures(frame, check, reading, keys, request)
    check.report(reading)
    if "id" in frame.columns:
        named = frame.filter(pl.col("id").is_not_null())
        seen.add(named.select("id"), named["row"])
    reading.add(ending(seen, len(items)))
    if reading.errors_total:
        reading.frames.clear()
    yield reading


def _load(path: Path) -> list[Any]:
    text = open_text(path, may_be_cp1252=False)
    if text.size > LARGEST:
        raise FileRefused(RowCode.FILE_TOO_LARGE, f"A JSON file may have at most {LARGEST >> 20} MiB.")
    try:
        plain = path.read_bytes()[text.start :]
        check_text(plain, "utf-8", 1)
        # Before it is read: a list of empty objects takes twenty times its size.
        if plain.count(b"{") + plain.count(b"[") > MOST_ITEMS or plain.count(b",") > MOST_VALUES:
            _refuse_large()
        loaded = orjson.loads(plain)
    except orjson.JSONDecodeError as error:
        detail = f"The file is not JSON: {error.msg}, line {error.lineno}."
        raise FileRefused(RowCode.JSON_MALFORMED, detail, row=error.lineno) from error
    if not isinstance(loaded, list):
        raise FileRefused(RowCode.JSON_NOT_A_LIST, "The file must be one JSON list of objects.")
    # A name needs a colon: without more colons than names none stands twice.
    if plain.count(b":") > sum(len(item) for item in loaded if isinstance(item, dict)):
        again = repeated_name(plain)
        if again is not None:
            detail = f"The name {shown(again)} stands twice in one object."
            raise FileRefused(RowCode.NAME_REPEATED, detail, column=again[:MOST_SHOWN])
    return loaded


def _refuse_large() -> NoReturn:
    detail = f"A JSON file may have at most {MOST_ITEMS:,} items and {MOST_VALUES:,} values."
    raise FileRefused(RowCode.FILE_TOO_LARGE, detail)


def _cells(items: Sequence[Any], names: Sequence[str]) -> tuple[pl.DataFrame, list[RowError]]:
    """The items as rows of text, as a CSV would hold them; what is no object, or nested, is a fault."""
    if len(items) * len(names) > 4 * MOST_VALUES:
        _refuse_large()
    wrong: list[RowError] = []
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            wrong.append(RowError(number, None, RowCode.NOT_AN_OBJECT, "The item is not an object."))
        for name in names:
            value = item.get(name) if isinstance(item, dict) else None
            if isinstance(value, dict | list | bool):
                wrong.append(RowError(number, name, RowCode.NOT_A_VALUE, f"{name} holds neither a number nor text."))
                value = None
            columns[name].append(None if value is None else str(value))
    rows = pl.Series("row", range(1, len(items) + 1), dtype=pl.UInt32)
    return pl.DataFrame([rows, *(pl.Series(n, v, dtype=pl.String) for n, v in columns.items())]), wrong


def _register(frame: pl.DataFrame, check: Checker, reading: Reading) -> None:
    rows = Rows(frame, check)
    read = pl.DataFrame(
        [
            rows.urn("id").alias("urn"),
            rows.required("EstablishmentName", rows.text("EstablishmentName")).alias("name"),
            *(rows.digits(name) for name in ("LAId", "EstablishmentNumber", "UKPRN")),
            *rows.school_types(
                ("TypeOfEstablishmentId", "TypeOfEstablishmentName"), ("PhaseOfEducationId", "PhaseOfEducationName")
            ),
            rows.word("StatusCode", STATUS_WORDS, STATUSES_LISTED),
            *(rows.text(name) for name in ("LAName", "RegionName", "AddressTown", "AddressPostcode")),
            *(rows.number(name) for name in ("AgeRangeLow", "AgeRangeHigh", "TotalPupils", "TotalCapacity")),
        ]
    )
    schools = read.select(
        "urn",
        "name",
        whole(pl.col("UKPRN")).alias("ukprn"),
        laestab_of(pl.col("LAId"), pl.col("EstablishmentNumber")).alias("laestab"),
        pl.col("LAId").alias("la_code"),
        pl.col("LAName").alias("la_name"),
        pl.col("TypeOfEstablishmentId").alias("type_code"),
        pl.col("TypeOfEstablishmentName").alias("type_name"),
        phase_of(
            pl.col("TypeOfEstablishmentId"),
            pl.col("TypeOfEstablishmentName"),
            pl.coalesce("PhaseOfEducationName", "PhaseOfEducationId"),
        ).alias("phase"),
        status_of(pl.col("StatusCode")).alias("status"),
        pl.col("AgeRangeLow").alias("low_age"),
        pl.col("AgeRangeHigh").alias("high_age"),
        pl.col("TotalPupils").alias("pupils"),
        pl.col("TotalCapacity").alias("capacity"),
        pl.col("AddressTown").alias("town"),
        pl.col("AddressPostcode").alias("postcode"),
        pl.col("RegionName").alias("region"),
    )
    reading.rows_accepted = int((~check.faulty).sum())
    reading.put("schools", as_table("schools", columns_in_file(schools, _SOURCES, frame.columns)))


@dataclass(frozen=True, slots=True)
class _ProfileFigure:
    """A figure of a file, and the keys that hold its parts."""

    figure: Figure
    years_back: int
    phase: str
    rank: int


def _figures_of(keys: Sequence[Key]) -> list[_ProfileFigure]:
    parts: dict[tuple[str, str, str, int, int], dict[str, str]] = defaultdict(dict)
    for key in keys:
        about = key.meaning
        parts[about.measure, about.group, about.phase, about.rank, key.years_back][about.part] = key.name
    return [
        _ProfileFigure(
            Figure(measure, group, found["value"], *map(found.get, ("lower", "upper", "cohort", "band"))),
            back,
            phase,
            rank,
        )
        for (measure, group, phase, rank, back), found in parts.items()
        if "value" in found
    ]


def _figures(frame: pl.DataFrame, check: Checker, reading: Reading, keys: Sequence[Key], request: Request) -> None:
    areas = {key.area for key in keys}
    if len(areas) > 1:
        raise FileRefused(
            RowCode.SHAPE_MIXED, "The file mixes figures of schools and of areas; send one kind at a time."
        )
    area = next(iter(areas))
    year = the_year(request)
    ids = frame["id"]
    if area is None:
        about = pl.DataFrame({"urn": check.urns("id", ids, read_identifiers(ids))})
    else:
        check.refuse("id", ids.is_null(), RowCode.VALUE_MISSING, lambda _: "The item has no id.")
        code = pl.lit(ENGLAND) if area == "england" else pl.col("id").str.strip_chars()
        about = frame.select(
            pl.lit(area).alias("area"), code.alias("area_code"), pl.lit("state_funded").alias("sector")
        )
    is_school = pl.Series(values=[area is None]).new_from_index(0, frame.height)
    reader = FigureReader(frame, check)
    found: list[pl.DataFrame] = []
    figures = sorted(_figures_of(keys), key=lambda figure: figure.rank)
    for one in figures:
        figure = pl.concat([about, reader.read(one.figure)], how="horizontal").with_columns(
            pl.lit(one.figure.measure).alias("measure"),
            pl.lit(one.figure.group).alias("pupil_group"),
            pl.lit(shift_year(year, one.years_back)).alias("academic_year"),
            pl.lit("year").alias("period"),
            pl.lit(one.phase).alias("phase"),
        )
        check_published(check, one.figure, figure, is_school)
        found.append(figure)
    reading.rows_accepted = int((~check.faulty).sum())
    if area is not None:
        reading.comparison_rows = reading.rows_accepted
        if found:
            reading.put("comparison_figures", as_comparisons(found))
        return
    found.extend(_unpublished(about, figures, year))
    observations = as_observations(found)
    # A school has its absence under one of several keys, by phase: the first that holds a number speaks.
    key = ["urn", "measure", "pupil_group", "academic_year", "period"]
    speaking = observations.sort(pl.col("value").is_null(), maintain_order=True)
    reading.put("observations", speaking.unique(key, keep="first", maintain_order=True))


def _unpublished(about: pl.DataFrame, figures: Sequence[_ProfileFigure], year: str) -> Iterator[pl.DataFrame]:
    """Of the families in the file (such as ks4) the measures that weren't published in one of its years."""
    there = {(one.figure.measure, one.years_back) for one in figures}
    sources = {MEASURES[one.figure.measure].source for one in figures}
    backs = sorted({one.years_back for one in figures})
    for code, measure in MEASURES.items():
        if measure.source not in sources or not measure.has_interval or "_8_" in code:
            continue
        for back in backs:
            of = shift_year(year, back)
            if (code, back) not in there and why_not_published(code, of) is not None:
                yield about.with_columns(
                    pl.lit(code).alias("measure"),
                    pl.lit("all").alias("pupil_group"),
                    pl.lit(of).alias("academic_year"),
                    pl.lit("year").alias("period"),
                    pl.lit("not_published").alias("reason"),
                )
