"""Key stage 4 performance tables of the DfE, a row a school, 2015/16 to 2023/24 (`england_ks4final.csv` and
such).

Years differ in columns; whichever of them the file has are read.
"""

from typing import Final

import polars as pl

from academy.imports.formats.layouts.figures import ENGLAND, Figure
from academy.imports.formats.layouts.tidy_table import BREAKDOWN, KEYS, URN_COLUMN, TidyTable
from academy.imports.formats.layouts.wide_table import WideTable
from academy.imports.formats.reading import Column

GROUPS: Final = {
    "all": ("", "TPUP"),
    "disadvantaged": ("FSM6CLA1A", "TFSM6CLA1A"),
    "not_disadvantaged": ("NFSM6CLA1A", "TNOTFSM6CLA1A"),
    "boys": ("BOYS", "BPUP"),
    "girls": ("GIRLS", "GPUP"),
    "eal": ("EAL", "TEALGRP2"),
    "non_mobile": ("NMOB", "TNMOB"),
    "prior_low": ("LO", "TPRIORLO"),
    "prior_middle": ("AV", "TPRIORAV"),
    "prior_high": ("HI", "TPRIORHI"),
}
"""Groups of pupils, their ending in column names, and the column of their number."""

_ENGLISH_AND_MATHS: Final = {
    "all": "PTL2BASICS_{}",
    "disadvantaged": "PTFSM6CLA1ABASICS_{}",
    "not_disadvantaged": "PTNOTFSM6CLA1ABASICS_{}",
    "boys": "PBL2BASICS_{}",
    "girls": "PGL2BASICS_{}",
    "eal": "PTL2BASICSEAL_{}",
    "non_mobile": "PTL2BASICSNMOB_{}",
    "prior_low": "PTBASICSLO_{}",
    "prior_middle": "PTBASICSAV_{}",
    "prior_high": "PTBASICSHI_{}",
}
_EBACC_ENTRY: Final = {
    "all": "PTEBACC_E_PTQ_EE",
    "disadvantaged": "PTEBACC_EFSM6CLA1A_PTQ_EE",
    "not_disadvantaged": "PTEBACC_ENFSM6CLA1A_PTQ_EE",
    "boys": "PBEBACC_E_PTQ_EE",
    "girls": "PGEBACC_E_PTQ_EE",
    "eal": "PTEBACC_EEAL_PTQ_EE",
    "non_mobile": "PTEBACC_ENMOB_PTQ_EE",
    "prior_low": "PTEBACC_ELO_PTQ_EE",
    "prior_middle": "PTEBACC_EAV_PTQ_EE",
    "prior_high": "PTEBACC_EHI_PTQ_EE",
}


def _figures() -> list[Figure]:
    figures: list[Figure] = []
    for group, (ending, cohort) in GROUPS.items():
        at = f"_{ending}" if ending else ""
        figures += [
            Figure(
                "ks4.progress_8",
                group,
                f"P8MEA{at}",
                f"P8CILOW{at}",
                f"P8CIUPP{at}",
                f"P8PUP{at}",
                "P8_BANDING" if group == "all" else None,
            ),
            Figure("ks4.attainment_8", group, f"ATT8SCR{at}", cohort=cohort),
            Figure("ks4.ebacc_average_point_score", group, f"EBACCAPS{at}", cohort=cohort),
            Figure("ks4.ebacc_entry_percent", group, _EBACC_ENTRY[group], cohort=cohort),
        ]
        for grade, code in ((5, "95"), (4, "94")):
            measure = f"ks4.english_maths_grade_{grade}_percent"
            figures.append(Figure(measure, group, _ENGLISH_AND_MATHS[group].format(code), cohort=cohort))
    for element, code in {"english": "ENG", "maths": "MAT", "ebacc": "EBAC", "open": "OPEN"}.items():
        value = f"P8MEA{code}"
        figures.append(Figure(f"ks4.progress_8_{element}", "all", value, f"{value}_CILOW", f"{value}_CIUPP", "P8PUP"))
    figures.append(Figure("ks4.progress_8_coverage_percent", "all", "P8MEACOV", cohort="TPUP"))
    return figures


def sort_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Records are told by their number: schools, local authorities, England with all schools or the state-funded."""
    kind = pl.col("RECTYPE").str.strip_chars().str.strip_suffix(".0")
    la = pl.col("LEA").str.strip_chars() if "LEA" in frame.columns else pl.lit(None, dtype=pl.String)
    return frame.with_columns(
        pl.when(kind.is_in(["5", "7"])).then(pl.lit("england")).when(kind == "4").then(pl.lit("la")).alias("area"),
        pl.when(kind == "4").then(la).otherwise(pl.lit(ENGLAND)).alias("area_code"),
        pl.when(kind == "5").then(pl.lit("all")).otherwise(pl.lit("state_funded")).alias("sector"),
        pl.lit("all").alias("phase"),
        (kind.is_in(["1", "2", "5", "7"]) | ((kind == "4") & la.is_not_null())).alias("is_kept"),
    )


PERFORMANCE_TABLE: Final = WideTable(
    source="DfE key stage 4 performance tables",
    keys=(
        Column(
            "RECTYPE",
            "Kind of record: 1 mainstream school, 2 special school, 4 local authority, 5 England, "
            "7 England's state-funded schools; others are passed over",
            required=True,
            example="1",
        ),
        Column("URN", "Unique reference number of the school", required=True, example="137315"),
        Column("LEA", "Number of the local authority, needed for its own record", example="850"),
    ),
    figures=tuple(_figures()),
    sort_rows=sort_rows,
    aliases={
        "PTL2BASICS_95": ("PTL2BASICS_95_PTQ_EE",),
        "PTL2BASICS_94": ("PTL2BASICS_94_PTQ_EE",),
    },
)


EES_TABLE: Final = TidyTable(
    source="DfE key stage 4 performance, Explore education statistics",
    keys=(*KEYS, URN_COLUMN, *BREAKDOWN),
    figures={
        "": (
            Figure(
                "ks4.progress_8",
                "all",
                "progress8_average",
                "progress8_lower_95_ci",
                "progress8_upper_95_ci",
                "progress8_pupil_count",
                "progress8_banding",
            ),
            *(
                Figure(
                    f"ks4.progress_8_{element}",
                    "all",
                    f"progress8{code}_average",
                    f"progress8{code}_lower_95_ci",
                    f"progress8{code}_upper_95_ci",
                    "progress8_pupil_count",
                )
                for element, code in (
                    ("english", "eng"),
                    ("maths", "mat"),
                    ("ebacc", "ebacc"),
                    ("open", "open"),
                )
            ),
            Figure("ks4.progress_8_coverage_percent", "all", "progress8_pupil_percent", cohort="pupil_count"),
            Figure("ks4.attainment_8", "all", "attainment8_average", cohort="pupil_count"),
            Figure("ks4.english_maths_grade_5_percent", "all", "engmath_95_percent", cohort="pupil_count"),
            Figure("ks4.english_maths_grade_4_percent", "all", "engmath_94_percent", cohort="pupil_count"),
            Figure("ks4.ebacc_average_point_score", "all", "ebacc_aps_average", cohort="pupil_count"),
            Figure("ks4.ebacc_entry_percent", "all", "ebacc_entering_percent", cohort="pupil_count"),
        )
    },
    # On the right the names of 2022/23 and 2023/24, on the left those since 2024/25.
    aliases={
        "pupil_count": ("t_pupils",),
        "attainment8_average": ("avg_att8",),
        "progress8_average": ("avg_p8score",),
        "progress8_lower_95_ci": ("p8score_ci_low",),
        "progress8_upper_95_ci": ("p8score_ci_upp",),
        "progress8_pupil_count": ("t_inp8calc",),
        "engmath_95_percent": ("pt_l2basics_95",),
        "engmath_94_percent": ("pt_l2basics_94",),
        "ebacc_aps_average": ("avg_ebaccaps",),
        "ebacc_entering_percent": ("pt_ebacc_e_ptq_ee",),
    },
)

RESULTS: Final = frozenset(
    name.casefold()
    for table, figures in ((PERFORMANCE_TABLE, PERFORMANCE_TABLE.figures), (EES_TABLE, EES_TABLE.figures[""]))
    for figure in figures
    for name in (figure.value, *table.aliases.get(figure.value, ()))
)
"""The names, in lower case, of columns that hold results."""
