"""What is kept of a trust's own figures although it looks wrong, and cells that are no cells."""

from datetime import date
from pathlib import Path

import pytest

from academy.measures.rules import PERIODS
from tests.academy.imports.formats.publications.test_own_observations import KIND, Send, as_ndjson, good, send
from tests.academy.imports.formats.tables import WholeReading, codes, one, read_file

__all__ = ["send"]


def noted(found: WholeReading) -> list[tuple[str | None, str, int | None]]:
    return [(warning.column, warning.code, warning.times) for warning in found.warnings]


@pytest.mark.parametrize(
    ("today", "ahead"),
    [
        (date(2026, 11, 25), {"spring", "autumn_spring", "summer"}),
        (date(2027, 1, 1), {"summer"}),
        (date(2027, 4, 1), set()),
    ],
)
def test_figures_of_terms_to_come_are_kept_with_a_warning(send: Send, today: date, ahead: set[str]) -> None:
    rows = [good(academic_year=year, period=period) for year in ("2025/26", "2026/27") for period in PERIODS]
    found = send(rows, today=today)
    assert (found.errors, found.rows_accepted) == ([], len(rows))
    assert sorted(noted(found)) == [("period", "period_ahead", 1)] * len(ahead)
    assert {
        word for period in ahead for word in [period] if any(f" {period} " in w.detail for w in found.warnings)
    } == ahead


def test_a_value_outside_of_its_interval_is_kept_with_a_warning(send: Send) -> None:
    inside = good(urn=136105, value=80, lower=80, upper=90)
    found = send([good(value=85, lower=86, upper=90), good(urn=139148, value=85, lower=80, upper=84), inside])
    assert (found.errors, found.rows_accepted) == ([], 3)
    assert noted(found) == [("value", "outside_interval", 2)]


def test_an_interval_without_a_value_is_left_out_with_a_warning(send: Send) -> None:
    found = send([good(value="SUPP", lower=44, upper=48, published_band="3"), good(urn=136105)])
    details = ("lower", "upper", "published_band")
    assert noted(found) == [(name, "detail_without_value", 1) for name in details]
    row = one(found.frame("observations"), urn=135874)
    assert [row[name] for name in details] == [None, None, None]


@pytest.mark.parametrize("value", [True, False, [1], {"is": 1}])
def test_a_cell_that_is_no_number_nor_text_is_a_fault(tmp_path: Path, value: object) -> None:
    found = read_file(KIND, as_ndjson(tmp_path, [good(), good(urn=136105, value=value)]), academic_year=None)
    assert codes(found)[0] == (2, "value", "not_a_value")
