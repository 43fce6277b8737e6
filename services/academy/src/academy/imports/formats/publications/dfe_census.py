"""The school census, a row a school: as the performance tables publish it (`..._england_census.csv`), and as
the school-level file of "Schools, pupils and their characteristics" does."""

from typing import Final

from academy.imports.formats.layouts.figures import Figure
from academy.imports.formats.layouts.wide_table import WideTable
from academy.imports.formats.publications.dfe_absence import sort_rows
from academy.imports.formats.reading import Column

CENSUS_TABLE: Final = WideTable(
    source="DfE school census, performance tables",
    keys=(
        Column("URN", "Unique reference number of the school, or NAT for England", required=True, example="100000"),
        Column("LA", "Number of the local authority", aliases=("LEA",), example="201"),
        Column("ESTAB", "Number of the school, or PRI, SEC or SPE in records of areas", example="3614"),
    ),
    figures=(
        Figure("census.pupils", "all", "NOR"),
        Figure("census.eal_percent", "all", "PNUMEAL", cohort="NOR"),
        Figure("census.fsm_percent", "all", "PNUMFSM", cohort="NOR"),
        Figure("census.fsm_ever6_percent", "all", "PNUMFSMEVER", cohort="NORFSMEVER"),
        Figure("census.sen_support_percent", "all", "PSENELK", cohort="NOR"),
        Figure("census.ehc_plan_percent", "all", "PSENELSE", cohort="NOR"),
    ),
    sort_rows=sort_rows,
    # On the right the names of "Schools, pupils and their characteristics", and of other years.
    aliases={
        "NOR": ("headcount of pupils",),
        "PNUMEAL": ("% of pupils whose first language is known or believed to be other than English",),
        "PNUMFSM": ("% of pupils known to be eligible for free school meals",),
        "PNUMFSMEVER": ("% of pupils known to be eligible for free school meals (Performance Tables)",),
        "PSENELSE": ("PSENELE",),
    },
)
