"""What is hidden, worked out by hand."""

import re
from pathlib import Path

import pytest

from kit.disclosure.attacks import Range, audit, exposed
from kit.disclosure.errors import CountInvalid, TableNotPublishable
from kit.disclosure.published import PublishedTable
from kit.disclosure.rules import Knowledge, SuppressionRule
from kit.disclosure.suppression import suppress
from kit.disclosure.tables import Cell, CountTable, cell, inner_cells, linked, with_margins

RULE = SuppressionRule()


def grid(*rows: list[int]) -> CountTable:
    return with_margins(
        {cell(row=str(i), column=str(j)): count for i, row in enumerate(rows) for j, count in enumerate(row)}
    )


def inner(*places: tuple[int, int]) -> frozenset[Cell]:
    return frozenset(cell(row=str(i), column=str(j)) for i, j in places)


def test_a_table_without_small_counts_is_shown_whole() -> None:
    table = grid([6, 0], [20, 30])
    published = suppress(table)
    assert published.hidden == frozenset()
    assert published.shown == table.counts


def test_one_small_count_takes_a_rectangle_with_it() -> None:
    """A second count in its row and one in its column, and the fourth, since these two would be alone in theirs. A
    total in place of any of them would hide more."""
    published = suppress(grid([3, 20], [15, 30]))
    assert published.hidden == inner((0, 0), (0, 1), (1, 0), (1, 1))
    assert published.small == inner((0, 0))
    assert published.count(cell(row="0")) == 23
    assert published.count(cell(row="0", column="0")) is None
    with pytest.raises(KeyError):
        published.count(cell(row="9"))


def test_the_earlier_cells_are_taken_when_choices_cost_the_same() -> None:
    published = suppress(grid([3, 20, 20], [20, 20, 20], [20, 20, 20]))
    assert published.hidden == inner((0, 0), (0, 1), (1, 0), (1, 1))


def test_two_small_counts_that_add_up_to_six_need_a_third() -> None:
    """2 and 4 in one row: alone they would be 1 to 5 each, which isn't 5 wide for who doesn't know that both are small.
    So a third of the row, and a second row below all three."""
    published = suppress(grid([2, 4, 30], [20, 25, 40], [35, 50, 60]))
    assert published.hidden == inner((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))


def test_a_partner_that_is_itself_too_near_the_limit_is_not_enough() -> None:
    """1 beside 7 add up to 8: who knows that 7 isn't small knows that the other is at most 2. 12 leaves 1 to 5."""
    published = suppress(with_margins({cell(a="x"): 1, cell(a="y"): 7, cell(a="z"): 12}))
    assert published.hidden == {cell(a="x"), cell(a="z")}


def test_a_small_total_is_hidden_too() -> None:
    published = suppress(grid([2, 0, 2], [30, 40, 50], [60, 70, 80]))
    assert cell(row="0") in published.hidden
    assert published.count(cell(row="0", column="1")) == 0
    assert exposed(published, RULE) == set()


def test_zero_is_hidden_when_told_so() -> None:
    rule = SuppressionRule(shows_zero=False)
    published = suppress(grid([0, 20], [15, 30]), rule)
    assert cell(row="0", column="0") in published.small
    assert exposed(published, rule) == set()


def test_a_limit_of_ten_hides_up_to_ten() -> None:
    rule = SuppressionRule(limit=10)
    published = suppress(grid([10, 40], [45, 30]), rule)
    assert published.small == inner((0, 0))
    assert len(published.hidden) == 4


def test_weights_decide_what_is_given_up() -> None:
    counts = {cell(a="x"): 3, cell(a="y"): 20, cell(a="z"): 20}
    weights = {cell(a="x"): 1, cell(a="y"): 9, cell(a="z"): 2, cell(): 3}
    assert suppress(with_margins(counts), weights=weights).hidden == {cell(a="x"), cell(a="z")}
    assert suppress(with_margins(counts), weights={**weights, cell(a="z"): 4}).hidden == {cell(a="x"), cell()}


def test_parts_of_a_small_total_keep_what_the_total_leaves_them() -> None:
    """Parts of a total of at most 5 are at most 4, for who knows that it is small; publishing must add nothing."""
    table = grid([1, 0, 2], [30, 40, 50], [60, 70, 80])
    published = suppress(table)
    found = audit(published, RULE, Knowledge.SMALL_CELLS)
    assert found[cell(row="0", column="0")] == Range(1, 4)
    assert found[cell(row="0")] == Range(2, 5)
    assert audit(published, RULE, Knowledge.SYMBOL)[cell(row="0", column="0")].span >= 5


def test_three_can_not_be_published_at_all() -> None:
    """1 and 2 and their total 3 are all small: nothing is left to show."""
    with pytest.raises(TableNotPublishable, match="nothing but zeros"):
        suppress(with_margins({cell(a="x"): 1, cell(a="y"): 2}))


def test_a_known_total_is_shown_and_may_give_its_parts_away() -> None:
    """3 + 5 = 8: for who knows that both are small each is 3 to 5. So a third is hidden, and never the total."""
    table = with_margins({cell(a="w"): 3, cell(a="x"): 5, cell(a="y"): 50, cell(a="z"): 60})
    weights = {where: 1 if where == cell() else 9 for where in table.counts}
    assert suppress(table, weights=weights).hidden == {cell(a="w"), cell(a="x"), cell()}
    assert suppress(table, known=[cell()], weights=weights).hidden == {cell(a="w"), cell(a="x"), cell(a="y")}
    pair = with_margins({cell(a="x"): 1, cell(a="y"): 2})
    with pytest.raises(TableNotPublishable, match="even if every count were hidden"):
        suppress(pair, known=[cell()])


def test_a_known_small_count_is_shown() -> None:
    table = with_margins({cell(a="x"): 3, cell(a="y"): 50, cell(a="z"): 60})
    published = suppress(table, known=[cell(a="x")])
    assert published.hidden == frozenset()
    assert exposed(published, RULE) == set()


def test_the_error_does_not_say_which_count_is_small() -> None:
    with pytest.raises(TableNotPublishable) as refused:
        suppress(with_margins({cell(group="blue"): 1, cell(group="red"): 2}))
    assert "blue" not in str(refused.value)
    assert "red" not in str(refused.value)


SEX = with_margins({cell(sex="girls"): 3, cell(sex="boys"): 27})
MEALS = with_margins({cell(meals="free"): 12, cell(meals="paid"): 18})


def test_a_table_that_shares_a_total_must_be_protected_with_it() -> None:
    cheap_total = {cell(sex="girls"): 1, cell(sex="boys"): 5, cell(): 1, cell(meals="free"): 1, cell(meals="paid"): 1}
    alone = suppress(SEX, weights=cheap_total)
    assert alone.hidden == {cell(sex="girls"), cell()}
    # The other table has nothing small, and gives the total away: 12 + 18, less 27 boys.
    both = linked(SEX, MEALS)
    as_read = PublishedTable(
        {where: count for where, count in both.counts.items() if where not in alone.hidden},
        alone.hidden,
        both.sums,
        alone.small,
    )
    assert exposed(as_read, RULE) == alone.hidden
    together = suppress(both, weights=cheap_total)
    assert together.hidden == {cell(sex="girls"), cell(), cell(meals="free")}
    assert exposed(together, RULE) == set()


def test_without_rounds_to_find_the_least_it_is_as_safe_and_nothing_is_hidden_without_need() -> None:
    table = grid([2, 4, 30, 9], [20, 25, 40, 1], [35, 3, 60, 12], [8, 8, 8, 8])
    least, quick = suppress(table), suppress(table, rounds=1)
    assert exposed(quick, RULE) == set()
    sizes = inner_cells(table)
    assert sum(sizes[where] for where in quick.hidden) >= sum(sizes[where] for where in least.hidden)
    for where in quick.hidden - quick.small:
        shown = {**quick.shown, where: table.counts[where]}
        fewer = PublishedTable(shown, quick.hidden - {where}, quick.sums, quick.small)
        assert exposed(fewer, RULE) != set()


def test_known_cells_and_weights_are_of_the_table() -> None:
    table = with_margins({cell(a="x"): 3, cell(a="y"): 20})
    with pytest.raises(CountInvalid, match="a=z is known and not in the table"):
        suppress(table, known=[cell(a="z")])
    with pytest.raises(CountInvalid, match="weight of at least 1"):
        suppress(table, weights={cell(a="x"): 1})


def rows_of(page: str, number: int) -> list[list[str]]:
    """The cells of one of the tables of a page, without its head and the first column."""
    tables = re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE)
    rows = [line.strip("|").split("|") for line in tables[number].splitlines()[2:]]
    return [[text.strip(" *") for text in row[1:]] for row in rows]


def test_the_example_of_the_guide_is_what_comes_out() -> None:
    page = (Path(__file__).parents[3] / "docs/guides/small-numbers.md").read_text(encoding="utf-8")
    before, after = ([row[:-1] for row in rows_of(page, number)[:-1]] for number in (0, 1))
    published = suppress(grid(*([int(count) for count in row] for row in before)))
    for i, row in enumerate(after):
        for j, text in enumerate(row):
            count = published.count(cell(row=str(i), column=str(j)))
            assert text == ("c" if count is None else str(count))
    reader = audit(published, RULE, Knowledge.SYMBOL)
    insider = audit(published, RULE, Knowledge.SMALL_CELLS)
    ranges = {
        int(truth): tuple(tuple(map(int, text.split(" to "))) for text in (by_reader, by_insider))
        for truth, by_reader, by_insider in rows_of(page, 2)
    }
    found = {
        int(before[int(dict(where)["row"])][int(dict(where)["column"])]): tuple(
            (by[where].lowest, by[where].highest) for by in (reader, insider)
        )
        for where in published.hidden
    }
    assert found == ranges


def test_the_same_table_gives_the_same_result() -> None:
    table = grid([2, 4, 30, 9], [20, 25, 40, 1], [35, 3, 60, 12], [8, 8, 8, 8])
    assert suppress(table) == suppress(table)
