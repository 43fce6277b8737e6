"""Absence and attendance tables of the DfE.

Absence comes from the school census, twice and thrice a year: as a performance table (`england_abs.csv`,
PERCTOT and PPERSABS10 of each school) and in Explore education statistics (`1a_absence_3term_school.csv`).
Attendance comes from daily registers, of areas only (`..._ytd.csv`, and a file a term). The two differ a
little and are never mixed.
"""

from typing import Final

import polars as pl

from academy.imports.formats.layouts.figures import ENGLAND, Figure
from academy.imports.formats.layouts.tidy_table import KEYS, PHASE_COLUMN, URN_COLUMN, TidyTable
from academy.imports.formats.layouts.wide_table import WideTable
from academy.imports.formats.reading import Column

PHASES: Final = {"PRI": "primary", "SEC": "secondary", "SPE": "special"}
"""What stands in place of a number or a URN in the records of areas."""


def sort_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Records of England and of local authorities have NAT, PRI, SEC or SPE in LA, ESTAB or URN."""
    word = {
        name: pl.col(name).str.strip_chars().str.to_uppercase()
        if name in frame.columns
        else pl.lit(None, dtype=pl.String)
        for name in ("LA", "ESTAB", "URN")
    }
    is_england = (word["LA"] == "NAT").fill_null(value=False) | (word["URN"] == "NAT").fill_null(value=False)
    phase = word["ESTAB"].replace_strict(PHASES, default=None, return_dtype=pl.String)
    is_area = is_england | phase.is_not_null()
    return frame.with_columns(
        pl.when(is_england).then(pl.lit("england")).when(is_area).then(pl.lit("la")).alias("area"),
        pl.when(is_england).then(pl.lit(ENGLAND)).otherwise(word["LA"]).alias("area_code"),
        pl.lit("state_funded").alias("sector"),
        phase.alias("phase"),
        # An area's record of a kind of school that isn't one of the three is passed over.
        (~is_area | (phase.is_not_null() & (is_england | word["LA"].is_not_null()))).alias("is_kept"),
    )


ABSENCE_TABLE: Final = WideTable(
    source="DfE pupil absence, performance tables",
    keys=(
        Column("URN", "Unique reference number of the school", required=True, example="139545"),
        Column("LA", "Number of the local authority, or NAT for England", aliases=("LEA",), example="919"),
        Column("ESTAB", "Number of the school, or PRI, SEC or SPE in records of areas", example="2001"),
    ),
    figures=(
        Figure("absence.overall_percent", "all", "PERCTOT"),
        Figure("absence.persistent_percent", "all", "PPERSABS10"),
    ),
    sort_rows=sort_rows,
    aliases={},
)

ABSENCE_EES_TABLE: Final = TidyTable(
    source="DfE pupil absence in schools in England, Explore education statistics",
    keys=(*KEYS, URN_COLUMN, PHASE_COLUMN),
    figures={
        "": tuple(
            Figure(f"absence.{code}_percent", "all", column, cohort="enrolments", divisor=divisor)
            for code, column, divisor in (
                ("overall", "sess_overall_percent", "sess_possible"),
                ("authorised", "sess_authorised_percent", "sess_possible"),
                ("unauthorised", "sess_unauthorised_percent", "sess_possible"),
                ("persistent", "enrolments_pa_10_exact_percent", None),
                ("severe", "enrolments_pa_50_exact_percent", None),
            )
        )
    },
)

ATTENDANCE_TABLE: Final = TidyTable(
    source="DfE pupil attendance in schools, Explore education statistics",
    keys=(*KEYS, PHASE_COLUMN),
    figures={
        "": tuple(
            Figure(f"attendance.{code}_percent", "all", column, divisor=divisor)
            for code, column, divisor in (
                ("overall", "attendance_perc", "possible_sessions"),
                ("absence", "overall_absence_perc", "possible_sessions"),
                ("authorised_absence", "authorised_absence_perc", "possible_sessions"),
                ("unauthorised_absence", "unauthorised_absence_perc", "possible_sessions"),
                ("persistent_absence", "pa_perc", "enrolments"),
            )
        )
    },
    sessions=("possible_sessions", "enrolments"),
)
