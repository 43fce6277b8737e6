"""Symbols that stand in official tables where a number would be, and the reason that each one gives.

A figure without a number is never 0: it carries one of these reasons. Sources: DfE, "Abbreviations used in
the csv and excel Download Data files" (2019) for the performance tables; "Data symbols" of the DfE analysts'
guide for Explore education statistics; the markers that the DfE's own loaders read as empty.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "suppressed": "hidden because few pupils are covered (usually five or fewer; ten for destinations)",
        "not_applicable": "doesn't apply to this school, or isn't available for the year in question",
        "not_published": "not published, for this kind of school or for this year",
        "not_available": "the source has no figure and doesn't say why",
        "low_coverage": "less than half of the pupils could be included",
        "no_entries": "no pupil was entered",
        "redacted": "withdrawn by the publisher because it would not be a fair measure",
        "new_institution": "the school is new and has no results yet",
        "rounds_to_zero": "more than none, but rounds to 0",
        "low_reliability": "published as unreliable, without a figure",
        "not_counted": "nobody was there to be counted: the file states 0, and 0 pupils behind it",
        "unrecognised_symbol": "a symbol that isn't known here stands in the file",
    }
)
"""Every reason for a figure without a number, and what it means."""

PERFORMANCE_TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SUPP": "suppressed",
        "NE": "no_entries",
        "NA": "not_applicable",
        "NP": "not_published",
        "LOWCOV": "low_coverage",
        "SP": "rounds_to_zero",
        "RE": "redacted",
        "NEW": "new_institution",
        "NSE": "not_available",
    }
)
"""Symbols of the performance tables, absence and census files, up to 2023/24."""

EXPLORE_STATISTICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "z": "not_applicable",
        "x": "not_available",
        "c": "suppressed",
        "low": "rounds_to_zero",
        "k": "rounds_to_zero",
        "u": "low_reliability",
        ":": "not_available",
        "~": "rounds_to_zero",
    }
)
"""Symbols of Explore education statistics; `:` and `~` are obsolete forms of `x` and `low`."""

EMPTY: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("N", "n", "na", "n/a", "N/A", ".", "..", "-", "--", "NULL", "null"), "not_available")
)
"""Markers that say no more than an empty cell does."""

UNRECOGNISED: Final = "unrecognised_symbol"
"""The reason of a cell with a symbol that isn't among these."""
NOT_COUNTED: Final = "not_counted"
"""The reason of a share of nobody, which a file may state as 0."""

_EXACT: Final = {**PERFORMANCE_TABLES, **EXPLORE_STATISTICS, **EMPTY}
_ANY_CASE: Final = {
    **{symbol.casefold(): reason for symbol, reason in EMPTY.items()},
    **{symbol.casefold(): reason for symbol, reason in EXPLORE_STATISTICS.items()},
    **{symbol.casefold(): reason for symbol, reason in PERFORMANCE_TABLES.items() if symbol != "NA"},
}


def reason_of(text: str) -> str | None:
    """The reason that a cell's text gives; None when it is no known symbol. An empty cell is not_available.

    Upper and lower case differ only for `NA` (not applicable) and `na` (nothing known).
    """
    symbol = text.strip().strip("\u00a0")
    if not symbol:
        return "not_available"
    return _EXACT.get(symbol) or _ANY_CASE.get(symbol.casefold())
