"""Tables of counts: margins, links, and what is no table."""

import pytest

from kit.disclosure.errors import CountInvalid, SumDoesNotHold
from kit.disclosure.tables import CountTable, Sum, cell, inner_cells, linked, shown, with_margins

TWO_BY_TWO = {
    cell(sex="girls", year="7"): 3,
    cell(sex="boys", year="7"): 20,
    cell(sex="girls", year="8"): 15,
    cell(sex="boys", year="8"): 30,
}


def test_a_cell_is_the_same_however_its_categories_are_ordered() -> None:
    assert cell(sex="girls", year="7") == cell(year="7", sex="girls")
    assert shown(cell(year="7", sex="girls")) == "sex=girls, year=7"
    assert shown(cell()) == "total"


def test_margins_are_added_up_over_each_dimension_and_all() -> None:
    table = with_margins(TWO_BY_TWO)
    assert len(table.counts) == 9
    assert table.counts[cell(year="7")] == 23
    assert table.counts[cell(sex="girls")] == 18
    assert table.counts[cell()] == 68
    assert len(table.sums) == 6
    assert Sum(cell(year="7"), (cell(sex="girls", year="7"), cell(sex="boys", year="7"))) in table.sums


def test_three_dimensions_have_margins_of_two_and_of_one() -> None:
    counts = {cell(a=a, b=b, c=c): 1 for a in "xy" for b in "xyz" for c in "xyzw"}
    table = with_margins(counts)
    assert len(table.counts) == 3 * 4 * 5
    assert table.counts[cell(a="x", b="y")] == 4
    assert table.counts[cell(c="w")] == 6
    assert len(table.sums) == 4 * 5 + 3 * 5 + 3 * 4


def test_a_combination_that_is_not_given_counts_nobody() -> None:
    table = with_margins({cell(a="x", b="x"): 7, cell(a="y", b="y"): 8})
    assert table.counts[cell(a="x", b="y")] == 0


def test_cells_of_one_table_have_the_same_dimensions() -> None:
    with pytest.raises(CountInvalid, match="doesn't name each of"):
        with_margins({cell(a="x"): 1, cell(a="x", b="y"): 1})


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(CountInvalid, match="a=x is negative: -1"):
        with_margins({cell(a="x"): -1})


def test_a_sum_must_hold_and_be_over_cells_that_are_there() -> None:
    counts = {cell(a="x"): 1, cell(a="y"): 2, cell(): 4}
    with pytest.raises(SumDoesNotHold, match="total is not the sum"):
        CountTable(counts, (Sum(cell(), (cell(a="x"), cell(a="y"))),))
    with pytest.raises(CountInvalid, match="a=z is part of a sum"):
        CountTable(counts, (Sum(cell(), (cell(a="x"), cell(a="z"))),))


def test_linked_tables_share_the_cells_that_are_about_the_same() -> None:
    meals = with_margins(
        {
            cell(meals="free", year="7"): 8,
            cell(meals="paid", year="7"): 15,
            cell(meals="free", year="8"): 5,
            cell(meals="paid", year="8"): 40,
        }
    )
    table = linked(with_margins(TWO_BY_TWO), meals)
    assert len(table.counts) == 9 + 9 - 3
    assert sum(relation.total == cell(year="7") for relation in table.sums) == 2


def test_linked_tables_must_agree() -> None:
    other = with_margins({cell(meals="free", year="7"): 1})
    with pytest.raises(CountInvalid, match="is 23 in one table and 1 in another"):
        linked(with_margins(TWO_BY_TWO), other)


def test_a_total_adds_up_its_innermost_cells() -> None:
    sizes = inner_cells(with_margins(TWO_BY_TWO))
    assert sizes[cell(sex="girls", year="7")] == 1
    assert sizes[cell(year="7")] == 2
    assert sizes[cell()] == 4
