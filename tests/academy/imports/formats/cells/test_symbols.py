"""Every official symbol gives a reason, and none gives 0."""

import pytest

from academy.imports.formats.cells.symbols import EMPTY, EXPLORE_STATISTICS, PERFORMANCE_TABLES, REASONS, reason_of

OFFICIAL = [
    ("SUPP", "suppressed"), ("NE", "no_entries"), ("NA", "not_applicable"), ("NP", "not_published"),
    ("LOWCOV", "low_coverage"), ("SP", "rounds_to_zero"), ("RE", "redacted"), ("NEW", "new_institution"),
    ("NSE", "not_available"), ("z", "not_applicable"), ("x", "not_available"), ("c", "suppressed"),
    ("low", "rounds_to_zero"), ("k", "rounds_to_zero"), ("u", "low_reliability"), (":", "not_available"),
    ("~", "rounds_to_zero"), ("", "not_available"), (" ", "not_available"), ("N", "not_available"),
    ("na", "not_available"), ("n/a", "not_available"), ("N/A", "not_available"), (".", "not_available"),
    ("-", "not_available"), ("--", "not_available"), ("NULL", "not_available"), ("\u00a0", "not_available"),
]  # fmt: skip


@pytest.mark.parametrize(("symbol", "reason"), OFFICIAL)
def test_a_symbol_gives_its_reason(symbol: str, reason: str) -> None:
    assert reason_of(symbol) == reason
    assert reason_of(f"  {symbol} ") == reason


@pytest.mark.parametrize(
    ("symbol", "reason"),
    [
        ("supp", "suppressed"),
        ("Supp", "suppressed"),
        ("Low", "rounds_to_zero"),
        ("Z", "not_applicable"),
        ("lowcov", "low_coverage"),
        ("Na", "not_available"),
    ],
)
def test_case_matters_for_na_alone(symbol: str, reason: str) -> None:
    assert reason_of(symbol) == reason


@pytest.mark.parametrize("text", ["0", "SUPPRESSED?", "n.a.", "abc", "#N/A", "1", "?"])
def test_other_text_gives_no_reason(text: str) -> None:
    assert reason_of(text) is None


def test_every_reason_is_explained() -> None:
    for symbols in (PERFORMANCE_TABLES, EXPLORE_STATISTICS, EMPTY):
        assert set(symbols.values()) <= set(REASONS)
    assert all(REASONS.values())
