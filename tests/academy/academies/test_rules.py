"""Decisions about academies."""

from datetime import date

import pytest

from academy.academies.rules import Joining, comes_after, comes_before, joining, seen_from_the_other


@pytest.mark.parametrize(
    ("inspected_on", "joined_on", "expected"),
    [
        (date(2018, 8, 31), date(2018, 9, 1), Joining.BEFORE),
        (date(2018, 9, 1), date(2018, 9, 1), Joining.AFTER),
        (date(2020, 1, 1), date(2018, 9, 1), Joining.AFTER),
        (date(2020, 1, 1), None, None),
    ],
)
def test_an_inspection_is_before_or_after_joining(
    inspected_on: date, joined_on: date | None, expected: Joining | None
) -> None:
    assert joining(inspected_on, joined_on) is expected


@pytest.mark.parametrize(
    ("said", "from_the_other"),
    [
        ("successor", "predecessor"),
        ("predecessor", "successor"),
        ("predecessor_amalgamated", "successor_amalgamated"),
        ("successor_split_school", "predecessor_split_school"),
        ("result_of_amalgamation", "predecessor"),
    ],
)
def test_a_link_is_turned_round_for_the_other_school(said: str, from_the_other: str) -> None:
    assert seen_from_the_other(said) == from_the_other
    assert comes_before(said) is comes_after(from_the_other) is not comes_before(from_the_other)


@pytest.mark.parametrize("said", ["sixth_form_centre_link", "sixth_form_centre_school", "other", "closure"])
def test_a_link_that_is_beside_comes_neither_before_nor_after(said: str) -> None:
    assert seen_from_the_other(said) == said
    assert comes_before(said) is comes_after(said) is False
