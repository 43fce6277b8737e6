"""Key stage 2 results of the DfE, in both layouts: the performance tables (`england_ks2final.csv`, a row a
school), and Explore education statistics (`ks2_school_attainment_data.csv`, a row a school, group of pupils
and subject).

Years differ in columns; whichever of them the file has are read.
"""

from typing import Final

import polars as pl

from academy.imports.formats.layouts.figures import ENGLAND, Figure
from academy.imports.formats.layouts.tidy_table import BREAKDOWN, KEYS, URN_COLUMN, TidyTable
from academy.imports.formats.layouts.wide_table import WideTable
from academy.imports.formats.reading import Column

GROUPS: Final = {
    "all": ("", "TELIG"),
    "disadvantaged": ("_FSM6CLA1A", "TFSM6CLA1A"),
    "not_disadvantaged": ("_NotFSM6CLA1A", "TNotFSM6CLA1A"),
    "boys": ("_B", "BELIG"),
    "girls": ("_G", "GELIG"),
    "eal": ("_EAL", "TEALGRP2"),
    "non_mobile": ("_MOBN", "TMOBN"),
    "prior_low": ("_L", "TKS1GROUP_L"),
    "prior_middle": ("_M", "TKS1GROUP_M"),
    "prior_high": ("_H", "TKS1GROUP_H"),
}
"""Groups of pupils, their ending in column names, and the column of their number."""

_PROGRESS: Final = {"reading": "READPROG", "writing": "WRITPROG", "maths": "MATPROG"}
_SCORES: Final = {"reading": "READ", "maths": "MAT", "gps": "GPS"}
_SUBJECTS: Final = {"reading": "PTREAD", "maths": "PTMAT", "gps": "PTGPS", "writing": "PTWRITTA"}


def _figures() -> list[Figure]:
    figures: list[Figure] = []
    for group, (ending, cohort) in GROUPS.items():
        figures += [
            Figure("ks2.rwm_expected_percent", group, f"PTRWM_EXP{ending}", cohort=cohort),
            Figure("ks2.rwm_higher_percent", group, f"PTRWM_HIGH{ending}", cohort=cohort),
        ]
        for subject, code in _PROGRESS.items():
            value = f"{code}{ending}"
            band = f"{code}_DESCR" if group == "all" else None
            figures.append(
                Figure(f"ks2.{subject}_progress", group, value, f"{value}_LOWER", f"{value}_UPPER", cohort, band)
            )
        for subject, code in _SCORES.items():
            figures.append(Figure(f"ks2.{subject}_scaled_score", group, f"{code}_AVERAGE{ending}", cohort=cohort))
        for subject, code in _SUBJECTS.items():
            figures += [
                Figure(f"ks2.{subject}_expected_percent", group, f"{code}_EXP{ending}", cohort=cohort),
                Figure(f"ks2.{subject}_higher_percent", group, f"{code}_HIGH{ending}", cohort=cohort),
            ]
    return figures


def _sort_rows(frame: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col("RECTYPE").str.strip_chars().str.strip_suffix(".0")
    la = pl.col("LEA").str.strip_chars() if "LEA" in frame.columns else pl.lit(None, dtype=pl.String)
    return frame.with_columns(
        pl.when(kind.is_in(["4", "5"])).then(pl.lit("england")).when(kind == "3").then(pl.lit("la")).alias("area"),
        pl.when(kind == "3").then(la).otherwise(pl.lit(ENGLAND)).alias("area_code"),
        pl.when(kind == "4").then(pl.lit("all")).otherwise(pl.lit("state_funded")).alias("sector"),
        pl.lit("all").alias("phase"),
        (kind.is_in(["1", "2", "4", "5"]) | ((kind == "3") & la.is_not_null())).alias("is_kept"),
    )


PERFORMANCE_TABLE: Final = WideTable(
    source="DfE key stage 2 performance tables",
    keys=(
        Column(
            "RECTYPE",
            "Kind of record: 1 mainstream school, 2 special school, 3 local authority, 4 England, "
            "5 England's state-funded schools; others are passed over",
            required=True,
            example="1",
        ),
        Column("URN", "Unique reference number of the school", required=True, example="115851"),
        Column("LEA", "Number of the local authority, needed for its own record", example="850"),
    ),
    figures=tuple(_figures()),
    sort_rows=_sort_rows,
    aliases={},
)


def _of_subject(code: str) -> tuple[Figure, ...]:
    figures = [
        Figure(f"ks2.{code}_expected_percent", "all", "expected_standard_pupil_percent"),
        Figure(f"ks2.{code}_higher_percent", "all", "higher_standard_pupil_percent"),
    ]
    if code in _SCORES:
        figures.append(Figure(f"ks2.{code}_scaled_score", "all", "average_scaled_score"))
    if code in _PROGRESS:
        figures.append(
            Figure(
                f"ks2.{code}_progress",
                "all",
                "progress_measure_score",
                "progress_measure_lower_conf_interval",
                "progress_measure_upper_conf_interval",
                None,
                "progress_measure_description",
            )
        )
    return tuple(figures)


EES_TABLE: Final = TidyTable(
    source="DfE key stage 2 attainment, Explore education statistics",
    keys=(
        *KEYS,
        URN_COLUMN,
        *BREAKDOWN,
        Column("subject", "The subject, or reading, writing and maths together", required=True, example="Maths"),
    ),
    figures={
        "reading, writing and maths": _of_subject("rwm"),
        "reading": _of_subject("reading"),
        "writing": _of_subject("writing"),
        "maths": _of_subject("maths"),
        "grammar, punctuation and spelling": _of_subject("gps"),
    },
    subject_column="subject",
)
