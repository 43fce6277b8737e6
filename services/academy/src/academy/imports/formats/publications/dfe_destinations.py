"""Destinations of leavers of key stage 4 and of 16 to 18 study, in the three layouts of the DfE: the performance tables
(`england_ks4-pupdest.csv`, `england_ks5-studest.csv`, a row a school), the files of Explore education statistics (a
column a destination) and its data sets (a row a destination).

The academic year is the one in which the pupils left; what became of them was published two years later.
"""

from collections.abc import Container
from typing import Final

import polars as pl

from academy.imports.formats.layouts.figures import Figure
from academy.imports.formats.layouts.tidy_table import BREAKDOWN, KEYS, URN_COLUMN, TidyTable
from academy.imports.formats.layouts.wide_table import WideTable
from academy.imports.formats.publications import dfe_ks4
from academy.imports.formats.reading import Column

_GROUPS: Final = {"all": "", "disadvantaged": "_DIS", "not_disadvantaged": "_NONDIS"}
_WIDE: Final = {
    "destinations": "OVERALL",
    "destinations_education": "EDUCATION",
    "destinations_employment": "EMPLOYMENT",
    "destinations_apprenticeship": "APPREN",
}
_RECORDS: Final = {"LA": "4", "NAT": "7"}
"""Some years name the records of areas, others number them."""


def _sort_rows(frame: pl.DataFrame) -> pl.DataFrame:
    plain = pl.col("RECTYPE").str.strip_chars().str.to_uppercase()
    return dfe_ks4.sort_rows(frame.with_columns(plain.replace(_RECORDS).alias("RECTYPE")))


def _table(stage: str, prefix: str, overall: str, source: str) -> WideTable:
    figures = []
    for group, ending in _GROUPS.items():
        for code, column in _WIDE.items():
            name = overall if code == "destinations" else f"{prefix}{column}"
            value = f"{name}PER{ending}"
            figures.append(Figure(f"{stage}.{code}_percent", group, value, cohort=f"{prefix}COHORT{ending}"))
    return WideTable(
        source=source,
        keys=(
            Column(
                "RECTYPE",
                "Kind of record: 1 mainstream school, 2 special school, 4 or LA local authority, 5 England, "
                "7 or NAT England's state-funded schools; others are passed over",
                required=True,
                example="1",
            ),
            Column("URN", "Unique reference number of the school", required=True, example="137315"),
            Column("LEA", "Number of the local authority, needed for its own record", example="850"),
        ),
        figures=tuple(figures),
        sort_rows=_sort_rows,
        aliases={},
    )


KS4_TABLE: Final = _table("ks4", "", "OVERALL_DEST", "DfE key stage 4 destinations, performance tables")
POST_16_TABLE: Final = _table("ks5", "TOT_", "TOT_OVERALL", "DfE 16 to 18 destinations, performance tables")


_TOTALS: Final = ("total", "", "all")
_SPLIT: Final = ("sex", "ethnicity_major", "cohort_level_group", "cohort_level")
"""Columns that part the pupils: only rows about all of them are read."""
_SPLIT_AREAS: Final = ("institution_type", "admission_policy", "entry_gender", "local_authority_selection_status")
"""Columns that part the schools of an area, and describe a school in its own row."""

_NARROWING: Final = (
    Column("data_type", "Percentage or Number of pupils, of which only percentages are read", example="Percentage"),
    Column("disadvantage_status", "Disadvantaged, or Total, where no breakdown says it"),
    *(Column(name, "Only rows that say Total are read") for name in _SPLIT),
    *(Column(name, "For areas only rows that say Total are read") for name in _SPLIT_AREAS),
)


def _plain(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().str.to_lowercase().fill_null("")


def narrow(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of percentages of all pupils, or of disadvantaged ones, with their group in the columns of breakdown."""
    conditions = []
    if "data_type" in frame.columns:
        conditions.append(_plain("data_type").is_in(["percentage", ""]))
    conditions.extend(_plain(name).is_in(_TOTALS) for name in _SPLIT if name in frame.columns)
    is_school = _plain("geographic_level").is_in(["school", "institution"])
    conditions.extend(is_school | _plain(name).is_in(_TOTALS) for name in _SPLIT_AREAS if name in frame.columns)
    kept = frame.filter(*conditions) if conditions else frame
    if "disadvantage_status" not in frame.columns:
        return kept
    whole = pl.lit(value=True)
    if "breakdown" in frame.columns:
        whole = _plain("breakdown").is_in(_TOTALS)
    is_group = whole & ~_plain("disadvantage_status").is_in(_TOTALS)
    columns = {
        name: pl.col(name) if name in frame.columns else pl.lit("Total") for name in ("breakdown_topic", "breakdown")
    }
    return kept.with_columns(
        pl.when(is_group)
        .then(pl.lit("Disadvantage status"))
        .otherwise(columns["breakdown_topic"])
        .alias("breakdown_topic"),
        pl.when(is_group).then(pl.col("disadvantage_status")).otherwise(columns["breakdown"]).alias("breakdown"),
    )


def _file(stage: str, source: str) -> TidyTable:
    columns = {
        "destinations": "overall",
        "destinations_education": "education",
        "destinations_employment": "all_work",
        "destinations_apprenticeship": "appren",
    }
    return TidyTable(
        source=source,
        keys=(*KEYS, URN_COLUMN, *BREAKDOWN, *_NARROWING),
        figures={
            "": tuple(
                Figure(f"{stage}.{code}_percent", "all", column, cohort="cohort") for code, column in columns.items()
            )
        },
        aliases={"appren": ("all_appren",), "overall": ("all_overall",)},
        narrow=narrow,
    )


_DESCRIPTIONS: Final = {
    "destinations": ("sustained education, employment & apprenticeships", "overall destination", "overall"),
    "destinations_education": ("sustained education destination", "all education"),
    "destinations_employment": ("sustained employment destination", "all employment"),
    "destinations_apprenticeship": ("sustained apprenticeships", "all apprenticeships"),
}


def _data_set(stage: str, source: str) -> TidyTable:
    return TidyTable(
        source=source,
        keys=(
            *KEYS,
            URN_COLUMN,
            *BREAKDOWN,
            *_NARROWING,
            Column("destination_description", "The destination", required=True, example="Sustained apprenticeships"),
        ),
        figures={
            description: (Figure(f"{stage}.{code}_percent", "all", "pupil_percent", cohort="cohort_count"),)
            for code, descriptions in _DESCRIPTIONS.items()
            for description in descriptions
        },
        subject_column="destination_description",
        narrow=narrow,
    )


KS4_FILE: Final = _file("ks4", "DfE key stage 4 destination measures, Explore education statistics")
KS4_DATA_SET: Final = _data_set("ks4", KS4_FILE.source)
POST_16_FILE: Final = _file("ks5", "DfE 16 to 18 destination measures, Explore education statistics")
POST_16_DATA_SET: Final = _data_set("ks5", POST_16_FILE.source)

TABLES: Final = (
    (KS4_TABLE, KS4_FILE),
    (KS4_TABLE, KS4_DATA_SET),
    (POST_16_TABLE, POST_16_FILE),
    (POST_16_TABLE, POST_16_DATA_SET),
)
"""Each pair of a performance table and of a layout of Explore education statistics."""


def tables_of(names: Container[str]) -> tuple[WideTable, TidyTable] | None:
    """The tables of destinations that have columns with these names, in lower case; None when none has."""
    for table in (KS4_TABLE, POST_16_TABLE):
        if any(figure.value.casefold() in names for figure in table.figures):
            return table, KS4_FILE if table is KS4_TABLE else POST_16_FILE
    is_post_16 = "cohort_level_group" in names or "cohort_level" in names
    if "destination_description" in names:
        return (POST_16_TABLE, POST_16_DATA_SET) if is_post_16 else (KS4_TABLE, KS4_DATA_SET)
    if "all_work" in names or ("data_type" in names and "overall" in names):
        return (POST_16_TABLE, POST_16_FILE) if is_post_16 else (KS4_TABLE, KS4_FILE)
    return None
