"""Whatever is published, attacks that share nothing with the library leave every small count at least five numbers."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.disclosure.attacks import exposed
from kit.disclosure.errors import TableNotPublishable
from kit.disclosure.published import PublishedTable
from kit.disclosure.rules import SuppressionRule
from kit.disclosure.suppression import suppress
from kit.disclosure.tables import Cell, CountTable, cell, inner_cells, linked, with_margins
from tests.kit.disclosure.attackers import Flows, bounds_beforehand, bounds_of, possible
from tests.support.tries import tries

COUNTS = st.one_of(st.integers(1, 5), st.just(0), st.integers(6, 15), st.integers(6, 60))


@st.composite
def grids(draw: st.DrawFn, most: int = 5) -> tuple[Flows, CountTable]:
    """A table of rows and columns with margins, and the attack on it."""
    rows = [f"r{i}" for i in range(draw(st.integers(1, most)))]
    columns = [f"c{j}" for j in range(draw(st.integers(1, most)))]
    table = with_margins({cell(row=row, column=column): draw(COUNTS) for row in rows for column in columns})
    return Flows(rows, columns, table.counts), table


def narrowed(flows: Flows, published: PublishedTable) -> list[tuple[Cell, bool, int, int]]:
    """Hidden counts that the attack by flows narrows too far, with what the attacker knew and the range.

    Who sees the symbol alone is left with a highest at least 5 above the lowest; who knows which counts are small with
    five numbers, or with all that this leaves when nothing is published.
    """
    found = []
    beforehand = bounds_beforehand(published)
    for knows_small in (False, True):
        bounds = bounds_of(published, knows_small=knows_small)
        for row, column in product(range(len(flows.rows)), range(len(flows.columns))):
            where = flows.where(row, column)
            if where in published.hidden:
                low, high = flows.range(bounds, row, column)
                needed = 5
                if knows_small and high - low < 4:
                    lowest, highest = flows.range(beforehand, row, column)
                    needed = min(4, highest - lowest)
                elif knows_small:
                    needed = 4
                if high - low < needed:
                    found.append((where, knows_small, low, high))
    return found


def hiding(table: CountTable, hidden: frozenset[Cell]) -> PublishedTable:
    shown = {where: count for where, count in table.counts.items() if where not in hidden}
    return PublishedTable(shown, hidden, table.sums, small_of(table))


def small_of(table: CountTable) -> frozenset[Cell]:
    return frozenset(where for where, count in table.counts.items() if 1 <= count <= 5)


@settings(deadline=None, max_examples=tries(10))
@given(grid=grids())
def test_no_attack_narrows_what_is_hidden(grid: tuple[Flows, CountTable]) -> None:
    flows, table = grid
    try:
        published = suppress(table)
    except TableNotPublishable:
        return
    assert narrowed(flows, published) == []
    assert published.small == small_of(table) <= published.hidden
    assert all(published.count(where) == 0 for where, count in table.counts.items() if count == 0)
    assert all(published.count(where) in {None, count} for where, count in table.counts.items())


@settings(deadline=None, max_examples=tries(10))
@given(grid=grids(most=2))
def test_nothing_safe_hides_less(grid: tuple[Flows, CountTable]) -> None:
    """Every choice that costs less is tried on tables up to 2 by 2; what is refused has none that shows anything."""
    flows, table = grid
    costs, small = inner_cells(table), small_of(table)
    others = [where for where, count in table.counts.items() if count > 5]
    try:
        cost = sum(costs[where] for where in suppress(table).hidden - small)
    except TableNotPublishable:
        cost = sum(costs[where] for where in others)
    for number in range(len(others) + 1):
        for extra in combinations(others, number):
            if sum(costs[where] for where in extra) < cost:
                assert narrowed(flows, hiding(table, small.union(extra))) != []


def assert_no_number_is_ruled_out(published: PublishedTable) -> None:
    """Of no small count, by trying every number with either knowledge."""
    for where in published.small:
        low, high = possible(published, bounds_of(published, knows_small=False), where)
        assert high - low >= 5
        beforehand = possible(published, bounds_beforehand(published), where)
        assert possible(published, bounds_of(published, knows_small=True), where) == beforehand


@settings(deadline=None, max_examples=tries(6))
@given(a=st.lists(st.integers(0, 14), min_size=4, max_size=4), moved=st.tuples(st.integers(0, 14), st.integers(0, 14)))
def test_no_number_is_ruled_out_in_linked_tables(a: list[int], moved: tuple[int, int]) -> None:
    """Two tables by year, one by sex and one by meals, with the totals of the years in common."""
    by_sex = {cell(year=year, sex=sex): a.pop() for year in "78" for sex in "fm"}
    years = [sum(count for where, count in by_sex.items() if ("year", year) in where) for year in "78"]
    free = [min(count, total) for count, total in zip(moved, years, strict=True)]
    by_meals = {
        cell(year=year, meals=meals): count
        for year, total, few in zip("78", years, free, strict=True)
        for meals, count in (("free", few), ("paid", total - few))
    }
    try:
        published = suppress(linked(with_margins(by_sex), with_margins(by_meals)))
    except TableNotPublishable:
        return
    assert exposed(published, SuppressionRule()) == set()
    assert_no_number_is_ruled_out(published)


@settings(deadline=None, max_examples=tries(5))
@given(counts=st.lists(st.integers(0, 20), min_size=8, max_size=8))
def test_no_number_is_ruled_out_in_three_dimensions(counts: list[int]) -> None:
    table = with_margins({cell(a=a, b=b, c=c): counts.pop() for a in "xy" for b in "xy" for c in "xy"})
    try:
        published = suppress(table)
    except TableNotPublishable:
        return
    assert exposed(published, SuppressionRule()) == set()
    assert_no_number_is_ruled_out(published)


@pytest.mark.parametrize("hidden", [[("r0", "c0")], [("r0", "c0"), ("r0", "c1")]])
def test_the_attacks_find_what_is_badly_hidden(hidden: list[tuple[str, str]]) -> None:
    """The attacks of this test can succeed: on a count hidden alone, and on two in a row."""
    counts = {("r0", "c0"): 3, ("r0", "c1"): 20, ("r1", "c0"): 15, ("r1", "c1"): 30}
    table = with_margins({cell(row=row, column=column): count for (row, column), count in counts.items()})
    published = hiding(table, frozenset(cell(row=row, column=column) for row, column in hidden))
    flows = Flows(["r0", "r1"], ["c0", "c1"], table.counts)
    assert (cell(row="r0", column="c0"), False, 3, 3) in narrowed(flows, published)
    bounds = bounds_of(published, knows_small=False)
    assert possible(published, bounds, cell(row="r0", column="c0")) == (3, 3)


def test_a_limit_of_ten_leaves_five_numbers() -> None:
    counts = {("x", "x"): 9, ("x", "y"): 14, ("y", "x"): 25, ("y", "y"): 40}
    table = with_margins({cell(row=row, column=column): count for (row, column), count in counts.items()})
    published = suppress(table, SuppressionRule(limit=10))
    bounds = bounds_of(published, knows_small=True, limit=10)
    low, high = possible(published, bounds, cell(row="x", column="x"))
    assert high - low >= 4
