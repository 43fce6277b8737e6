"""Warnings as they are stored, and errors in the order of rows however large the file is."""

import pytest

from academy.imports.codes import RowCode
from academy.imports.formats.conclusions import MOST_NAMED, gathered
from academy.imports.formats.layouts import records
from academy.imports.formats.reading import ReadingWarning
from tests.academy.imports.conftest import Workbench, bench, csv

__all__ = ["bench"]


def symbol(column: str, text: str = "DNS", times: int = 2) -> ReadingWarning:
    return ReadingWarning(column, RowCode.UNRECOGNISED_SYMBOL, f"{text!r} is no known symbol.", times)


def test_what_is_the_same_of_several_columns_is_said_once() -> None:
    other = ReadingWarning("Notes", RowCode.UNKNOWN_COLUMN, "The column Notes isn't read.")
    found = list(gathered([symbol("A"), other, symbol("B", times=3), symbol("A", "n.k.")]))
    assert [(one.column, one.sentence) for one in found] == [
        (None, "'DNS' is no known symbol. 2 in all: A, B. (5 times)"),
        ("Notes", "The column Notes isn't read."),
        ("A", "'n.k.' is no known symbol. (2 times)"),
    ]


def test_of_very_many_columns_the_first_are_named() -> None:
    (one,) = gathered(symbol(f"C{place}") for place in range(MOST_NAMED + 4))
    assert f"{MOST_NAMED + 4} in all: C0, C1," in one.detail
    assert one.detail.endswith(f"C{MOST_NAMED - 1} and 4 more.")


def test_measures_of_one_column_are_named_by_their_titles() -> None:
    code = RowCode.PERCENTS_AS_FRACTIONS
    found = [
        ReadingWarning("value", code, f"None of {title} is above 1.", 2, "None is above 1.", title) for title in "XY"
    ]
    (one,) = gathered(found)
    assert (one.column, one.sentence) == ("value", "None is above 1. 2 in all: X, Y. (4 times)")


async def test_errors_come_in_the_order_of_rows_across_batches(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A few rows are a batch; that a key is given twice is only known at the end.
    monkeypatch.setattr(records, "BLOCK", 200)
    measure = "ks4.attainment_8"
    rows = [(136105, measure, f"20{year}/{year + 1}", "40") for year in range(10, 25)]
    rows[3] = rows[1]
    rows[5] = (136105, "no.such", "2015/16", "40")
    rows[12] = (136105, measure, "2022/23", "4O")
    ended = await bench.load(await bench.client(), "observations", csv(rows))
    assert [(one["row"], one["code"]) for one in ended["errors"]] == [
        (5, "key_repeated"),
        (7, "unknown_measure"),
        (14, "not_a_number"),
    ]
