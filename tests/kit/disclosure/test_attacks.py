"""The audit: ranges worked out by hand."""

import pytest

from kit.disclosure.attacks import Range, audit, exposed
from kit.disclosure.published import PublishedTable
from kit.disclosure.rules import Knowledge, SuppressionRule
from kit.disclosure.tables import Cell, CountTable, Sum, cell, with_margins

RULE = SuppressionRule()


def hiding(table: CountTable, *hidden: Cell) -> PublishedTable:
    shown = {where: count for where, count in table.counts.items() if where not in hidden}
    small = frozenset(where for where in hidden if RULE.is_small(table.counts[where]))
    return PublishedTable(shown, frozenset(hidden), table.sums, small)


SQUARE = with_margins({cell(a="x", b="x"): 3, cell(a="x", b="y"): 20, cell(a="y", b="x"): 15, cell(a="y", b="y"): 30})


@pytest.mark.parametrize("knowledge", list(Knowledge))
def test_a_count_that_is_hidden_alone_is_the_rest_of_its_sum(knowledge: Knowledge) -> None:
    published = hiding(SQUARE, cell(a="x", b="x"))
    assert audit(published, RULE, knowledge) == {cell(a="x", b="x"): Range(3, 3)}
    assert exposed(published, RULE) == {cell(a="x", b="x")}


def test_two_in_a_row_are_given_away_by_their_columns() -> None:
    published = hiding(SQUARE, cell(a="x", b="x"), cell(a="x", b="y"))
    assert audit(published, RULE, Knowledge.SYMBOL)[cell(a="x", b="y")] == Range(20, 20)


def test_a_rectangle_protects() -> None:
    published = hiding(SQUARE, *(cell(a=a, b=b) for a in "xy" for b in "xy"))
    # What the small one gains the next ones lose: 3 + t, 20 - t, 15 - t, 30 + t, each at least 1: t from -2 to 14.
    assert audit(published, RULE, Knowledge.SYMBOL) == {
        cell(a="x", b="x"): Range(1, 17),
        cell(a="x", b="y"): Range(6, 22),
        cell(a="y", b="x"): Range(1, 17),
        cell(a="y", b="y"): Range(28, 44),
    }
    # Who knows that 3 is small and that the others aren't: t from -2 to 2.
    assert audit(published, RULE, Knowledge.SMALL_CELLS) == {
        cell(a="x", b="x"): Range(1, 5),
        cell(a="x", b="y"): Range(18, 22),
        cell(a="y", b="x"): Range(13, 17),
        cell(a="y", b="y"): Range(28, 32),
    }
    assert exposed(published, RULE) == set()


def test_a_hidden_total_leaves_its_parts_without_a_highest() -> None:
    table = with_margins({cell(a="x"): 3, cell(a="y"): 20})
    published = hiding(table, cell(a="x"), cell())
    found = audit(published, RULE, Knowledge.SYMBOL)
    assert found == {cell(a="x"): Range(1, None), cell(): Range(21, None)}
    assert found[cell()].span == float("inf")


def test_two_small_counts_that_add_up_to_two_are_one_each() -> None:
    table = with_margins({cell(a="x"): 1, cell(a="y"): 1, cell(a="z"): 30})
    published = hiding(table, cell(a="x"), cell(a="y"))
    assert audit(published, RULE, Knowledge.SYMBOL) == {cell(a="x"): Range(1, 1), cell(a="y"): Range(1, 1)}


def test_fractions_are_no_way_out() -> None:
    """Three counts of which each two add up to 9, 9 and 10: halves would fit 4, 5, 5 and neighbours; whole numbers
    give one answer, and so does an even sum with a hole in the range."""
    x, y, z = cell(a="x"), cell(a="y"), cell(a="z")
    counts = {x: 4, y: 6, z: 5, cell(s="xy"): 10, cell(s="2z"): 10}
    table = CountTable(counts, (Sum(cell(s="xy"), (x, y)), Sum(cell(s="2z"), (z, z))))
    published = hiding(table, x, y, z)
    assert audit(published, RULE, Knowledge.SYMBOL)[z] == Range(5, 5)


def test_halves_are_not_taken_for_counts() -> None:
    """a + b, b + c and a + c are shown and d with them: over fractions d ranges wider than over whole numbers."""
    a, b, c, d = (cell(of=name) for name in "abcd")
    pairs = {cell(sum="abd"): (a, b, d), cell(sum="bcd"): (b, c, d), cell(sum="acd"): (a, c, d)}
    counts = {a: 7, b: 7, c: 7, d: 6, **dict.fromkeys(pairs, 20)}
    table = CountTable(counts, tuple(Sum(total, parts) for total, parts in pairs.items()))
    found = audit(hiding(table, a, b, c, d), RULE, Knowledge.SYMBOL)
    # a = b = c = (20 - d) / 2, so that d is even: 2 to 18. Over fractions it would be 1 to 18, with a from 1 to 9.5.
    assert found[d] == Range(2, 18)
    assert found[a] == Range(1, 9)
