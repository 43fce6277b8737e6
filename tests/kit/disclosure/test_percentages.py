"""Percentages: withheld with their counts, and with a small rest."""

from decimal import Decimal

import pytest

from kit.disclosure.errors import CountInvalid
from kit.disclosure.percentages import Share, Withheld, percentage, with_rests
from kit.disclosure.suppression import suppress
from kit.disclosure.tables import CountTable, cell, with_margins

YEARS = ("7", "8", "9")


def share(year: str) -> Share:
    return Share(cell(year=year, reached="yes"), cell(year=year))


def reached(**by_year: tuple[int, int]) -> CountTable:
    """How many reached a standard, of how many, by year (`y7=(20, 40)`), with nobody counted who didn't."""
    counts = {}
    for name, (part, whole) in by_year.items():
        counts[cell(year=name[1:], reached="yes")] = part
        counts[cell(year=name[1:])] = whole
    return CountTable(counts, ())


def test_a_percentage_of_shown_counts_is_shown() -> None:
    table = with_rests(reached(y7=(20, 60), y8=(0, 40), y9=(30, 30)), map(share, YEARS))
    published = suppress(table)
    assert percentage(published, share("7")) == Decimal("33.3")
    assert percentage(published, share("7"), decimals=0) == Decimal("33")
    assert percentage(published, share("8")) == Decimal("0.0")
    assert percentage(published, share("9")) == Decimal("100.0")


def test_halves_are_rounded_up() -> None:
    published = suppress(with_rests(reached(y7=(25, 200)), [share("7")]))
    assert percentage(published, share("7"), decimals=0) == Decimal("13")


@pytest.mark.parametrize(("part", "whole"), [(3, 100), (97, 100), (5, 5), (2, 4)])
def test_a_small_part_a_small_rest_and_a_small_whole_withhold_it(part: int, whole: int) -> None:
    counts = reached(y7=(part, whole), y8=(40, 90))
    total = with_margins({cell(year="7"): whole, cell(year="8"): 90, cell(year="9"): 80})
    table = CountTable({**counts.counts, **total.counts}, total.sums)
    published = suppress(with_rests(table, map(share, ("7", "8"))))
    assert percentage(published, share("7")) is Withheld.SUPPRESSED


def test_nobody_counted_is_no_percentage() -> None:
    published = suppress(with_rests(reached(y7=(0, 0)), [share("7")]))
    assert percentage(published, share("7")) is Withheld.NOBODY_COUNTED


def test_without_its_rest_in_the_table_no_percentage_is_given() -> None:
    """97 of 100 are both shown, and their difference isn't protected."""
    published = suppress(reached(y7=(97, 100)))
    with pytest.raises(CountInvalid, match="before suppressing"):
        percentage(published, share("7"))


def test_a_part_larger_than_its_whole_is_refused() -> None:
    with pytest.raises(CountInvalid, match="negative"):
        with_rests(reached(y7=(5, 4)), [share("7")])


def test_a_share_of_nothing_in_the_table_is_refused() -> None:
    with pytest.raises(CountInvalid, match="has no count"):
        with_rests(reached(y7=(5, 40)), [share("8")])
