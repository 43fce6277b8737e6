"""The register of schools (Get information about schools): establishments, and what became of which."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.formats.cells.schools import (
    CENTRE_TYPES,
    STATUS_WORDS,
    STATUSES_LISTED,
    code,
    laestab_of,
    phase_of,
    status_of,
    whole,
    words,
)
from academy.imports.formats.layouts.register import Rows, as_table, columns_in_file, read_register
from academy.imports.formats.publications.gias_contradictions import Contradictions
from academy.imports.formats.reading import Column, Reading, Request

SOURCE: Final = "Get information about schools"

URN: Final = Column("URN", "Unique reference number", required=True, example="135874")
NAME: Final = Column("EstablishmentName", "Name of the school", required=True, example="Manchester Enterprise Academy")
LA: Final = (
    Column("LA (code)", "Number of the local authority", example="352"),
    Column("LA (name)", "Name of the local authority", example="Manchester"),
)
TYPE: Final = (
    Column("TypeOfEstablishment (code)", "Type, by number", example="28"),
    Column("TypeOfEstablishment (name)", "Type, by name", example="Academy sponsor led"),
    Column("PhaseOfEducation (code)", "Phase, by number", example="4"),
    Column("PhaseOfEducation (name)", "Phase, by name", example="Secondary"),
)
STATUS: Final = ("EstablishmentStatus (name)", "EstablishmentStatus (code)")
ESTABLISHMENT_COLUMNS: Final = (
    URN,
    NAME,
    *LA,
    Column("EstablishmentNumber", "Number within the local authority", example="6905"),
    *TYPE,
    Column("EstablishmentStatus (code)", "Open, closed or proposed, by number", example="1"),
    Column("EstablishmentStatus (name)", "Open, closed or proposed, by name", example="Open"),
    Column("OpenDate", "When it opened", example="01-09-2009"),
    Column("CloseDate", "When it closed"),
    Column("StatutoryLowAge", "Youngest age", example="11"),
    Column("StatutoryHighAge", "Oldest age", example="16"),
    Column("NumberOfPupils", "Pupils on roll", example="964"),
    Column("SchoolCapacity", "Places", example="950"),
    Column("UKPRN", "UK provider reference number", example="10027548"),
    Column("Town", "Town", example="Manchester"),
    Column("Postcode", "Postcode", example="M22 9RH"),
    Column("GOR (name)", "Region", example="North West"),
)
URN_LINK_COLUMNS: Final = (
    Column("URN", "Number of the school", required=True, aliases=("OLD_URN",), example="100003"),
    Column("LinkURN", "Number of the linked school", required=True, aliases=("LATEST_URN",), example="136807"),
    Column("LinkType", "Predecessor, Successor and such; Successor when absent", example="Successor"),
    Column("LinkEstablishedDate", "Since when", example="01-08-2011"),
)


def read_establishments(path: Path, request: Request) -> Iterator[Reading]:
    """Schools, with whatever the extract has of them; children's centres are passed over. What a column that is
    absent would say stays as it was."""
    contradictions = Contradictions.of_schools(request.today)
    yield from read_register(
        path,
        ESTABLISHMENT_COLUMNS,
        partial(_establishments, contradictions),
        source=SOURCE,
        key="URN",
        is_kept=_is_school,
        at_end=contradictions.report,
    )


def _establishments(contradictions: Contradictions, rows: Rows, reading: Reading) -> pl.Series:
    urns = rows.urn()
    read = pl.DataFrame(
        [
            urns.alias("urn"),
            rows.required(NAME.name, rows.text(NAME.name)).alias("name"),
            *local_authority(rows),
            *rows.school_types(),
            *(rows.digits(name) for name in ("EstablishmentNumber", "UKPRN")),
            *(rows.word(name, STATUS_WORDS, STATUSES_LISTED) for name in STATUS),
            *(rows.text(name) for name in ("Town", "Postcode", "GOR (name)")),
            *(rows.date(name) for name in ("OpenDate", "CloseDate")),
            *(rows.number(name) for name in ("StatutoryLowAge", "StatutoryHighAge")),
            *(rows.number(name) for name in ("NumberOfPupils", "SchoolCapacity")),
        ]
    )
    schools = read.select(
        "urn",
        "name",
        whole(pl.col("UKPRN")).alias("ukprn"),
        laestab_of(pl.col("LA (code)"), pl.col("EstablishmentNumber")).alias("laestab"),
        pl.col("LA (code)").alias("la_code"),
        pl.col("LA (name)").alias("la_name"),
        whole(pl.col("TypeOfEstablishment (code)")).alias("type_code"),
        pl.col("TypeOfEstablishment (name)").alias("type_name"),
        phase().alias("phase"),
        status_of(pl.coalesce(*STATUS)).alias("status"),
        pl.col("OpenDate").alias("opened_on"),
        pl.col("CloseDate").alias("closed_on"),
        pl.col("StatutoryLowAge").alias("low_age"),
        pl.col("StatutoryHighAge").alias("high_age"),
        pl.col("NumberOfPupils").alias("pupils"),
        pl.col("SchoolCapacity").alias("capacity"),
        pl.col("Town").alias("town"),
        pl.col("Postcode").alias("postcode"),
        pl.col("GOR (name)").alias("region"),
    )
    schools = contradictions.settle(schools)
    schools = columns_in_file(schools, _SOURCES, rows.frame.columns)
    if "LA (code)" not in rows.frame.columns:
        # The number of a school means nothing without that of its authority.
        schools = schools.drop("laestab", strict=False)
    reading.put("schools", as_table("schools", schools))
    return urns


def local_authority(rows: Rows) -> Iterator[pl.Series]:
    """The columns of the local authority: its code and its name."""
    yield from (rows.digits("LA (code)"), rows.text("LA (name)"))


def _is_school(batch: pl.DataFrame) -> pl.Expr:
    """Children's centres stand in the same register under numbers of their own, of five digits."""
    kinds = [
        column for column in ("TypeOfEstablishment (code)", "TypeOfEstablishment (name)") if column in batch.columns
    ]
    centre = [
        (code(pl.col(name)).is_in(CENTRE_TYPES) | words(pl.col(name)).str.starts_with("children's centre")).fill_null(
            value=False
        )
        for name in kinds
    ]
    return ~pl.any_horizontal(pl.lit(value=False), *centre)


_SOURCES: Final = {
    "ukprn": "UKPRN",
    "laestab": "EstablishmentNumber",
    "la_code": "LA (code)",
    "la_name": "LA (name)",
    "type_code": "TypeOfEstablishment (code)",
    "type_name": "TypeOfEstablishment (name)",
    # The type says what the phase is of some schools only.
    "phase": tuple(column.name for column in TYPE if column.name.startswith("Phase")),
    "status": STATUS,
    "opened_on": "OpenDate",
    "closed_on": "CloseDate",
    "low_age": "StatutoryLowAge",
    "high_age": "StatutoryHighAge",
    "pupils": "NumberOfPupils",
    "capacity": "SchoolCapacity",
    "town": "Town",
    "postcode": "Postcode",
    "region": "GOR (name)",
}


def phase() -> pl.Expr:
    """The phase, from the columns of `TYPE`."""
    return phase_of(
        pl.col("TypeOfEstablishment (code)"),
        pl.col("TypeOfEstablishment (name)"),
        pl.coalesce(pl.col("PhaseOfEducation (name)"), pl.col("PhaseOfEducation (code)")),
    )


def read_urn_links(path: Path, request: Request) -> Iterator[Reading]:
    """Predecessors and successors. A row that links a school with itself says that its URN still stands."""
    del request
    yield from read_register(
        path, URN_LINK_COLUMNS, _urn_links, source=SOURCE, key="schools and link", passed_over=("LinkName",)
    )


def _urn_links(rows: Rows, reading: Reading) -> pl.Series:
    links = pl.DataFrame(
        [
            rows.urn("URN").alias("urn"),
            rows.urn("LinkURN").alias("linked_urn"),
            rows.text("LinkType").alias("link_type"),
            rows.date("LinkEstablishedDate").alias("established_on"),
        ]
    ).with_columns(
        pl.col("link_type")
        .fill_null("successor")
        .str.to_lowercase()
        .str.replace_all(r"[^a-z0-9]+", "_")
        .str.strip_chars("_")
    )
    is_link = (links["urn"] != links["linked_urn"]).fill_null(value=False)
    reading.put("school_links", as_table("school_links", links.filter(is_link)))
    key = pl.concat_str("urn", "linked_urn", "link_type", separator="/")
    return links.select(key.alias("key"))["key"].set(~is_link, None)
