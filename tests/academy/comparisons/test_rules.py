"""Where a figure stands among others."""

from decimal import Decimal

import pytest

from academy.comparisons.rules import LEAST_SCHOOLS, Spread


def spread(*values: float) -> Spread:
    """Each value once, and again where it comes again."""
    return Spread.of((Decimal(str(value)), values.count(value)) for value in set(values))


TWENTY = spread(*range(1, 21))


@pytest.mark.parametrize(("value", "percentile"), [(1, 2.5), (2, 7.5), (10, 47.5), (20, 97.5)])
def test_a_percentile_counts_lower_figures_and_half_of_the_same(value: int, percentile: float) -> None:
    # Of 20: 1 has none below it and is one of its own, half of which is 0.5 of 20.
    assert TWENTY.percentile(Decimal(value)) == percentile
    assert TWENTY.schools == LEAST_SCHOOLS == 20


def test_equal_figures_have_equal_places() -> None:
    tied = spread(*[1] * 10, *[2] * 5, *[3] * 5)
    assert [tied.percentile(Decimal(value)) for value in (1, 2, 3)] == [25.0, 62.5, 87.5]
    everybody = spread(*[7] * 30)
    assert everybody.percentile(Decimal(7)) == 50.0


def test_among_few_schools_there_is_no_percentile() -> None:
    assert spread(*range(19)).percentile(Decimal(3)) is None
    assert Spread.of([]).percentile(Decimal(1)) is None and Spread.of([]).schools == 0


def test_a_figure_that_isnt_among_them_has_no_place() -> None:
    """That of a school of another phase, or of an independent one."""
    assert TWENTY.percentile(Decimal("2.5")) is None
    assert TWENTY.percentile(Decimal(21)) is None


def test_one_decimal_half_up() -> None:
    assert spread(*range(1, 25)).percentile(Decimal(1)) == 2.1
    assert spread(*range(1, 41)).percentile(Decimal(1)) == 1.3
