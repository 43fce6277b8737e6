"""Which counts are small, and what an attacker may know of hidden ones."""

import pytest

from kit.disclosure.rules import Knowledge, SuppressionRule


@pytest.mark.parametrize(
    ("rule", "small"),
    [
        (SuppressionRule(), {1, 2, 3, 4, 5}),
        (SuppressionRule(limit=10), set(range(1, 11))),
        (SuppressionRule(shows_zero=False), {0, 1, 2, 3, 4, 5}),
    ],
)
def test_small_counts_are_from_one_to_the_limit(rule: SuppressionRule, small: set[int]) -> None:
    assert {count for count in range(20) if rule.is_small(count)} == small


def test_who_sees_the_symbol_alone_knows_only_that_it_is_not_zero() -> None:
    rule = SuppressionRule()
    assert rule.bounds(Knowledge.SYMBOL, is_small=True) == rule.bounds(Knowledge.SYMBOL, is_small=False) == (1, None)
    assert SuppressionRule(shows_zero=False).bounds(Knowledge.SYMBOL, is_small=True) == (0, None)


def test_who_knows_the_small_cells_knows_which_are_not() -> None:
    rule = SuppressionRule()
    assert rule.bounds(Knowledge.SMALL_CELLS, is_small=True) == (1, 5)
    assert rule.bounds(Knowledge.SMALL_CELLS, is_small=False) == (6, None)


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        (SuppressionRule(), 4),  # 1 to 5: all five stay possible
        (SuppressionRule(limit=10), 4),
        (SuppressionRule(limit=3), 2),  # 1 to 3 are all that there are
        (SuppressionRule(limit=3, shows_zero=False), 3),
    ],
)
def test_five_numbers_stay_possible_or_all_that_the_limit_allows(rule: SuppressionRule, needed: int) -> None:
    assert rule.needed(Knowledge.SMALL_CELLS, is_small=True) == needed
    assert rule.needed(Knowledge.SYMBOL, is_small=True) == 5


@pytest.mark.parametrize(("limit", "width"), [(0, 5), (5, 0)])
def test_bounds_are_at_least_one(limit: int, width: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        SuppressionRule(limit=limit, width=width)
