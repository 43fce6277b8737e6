"""Decisions about academies."""

from datetime import date

import pytest

from academy.academies.rules import Joining, joining, plain_laestab


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
    ("written", "plain"),
    [
        ("8504000", "8504000"),
        ("850/4000", "8504000"),
        ("850-4000", "8504000"),
        (" 850 4000 ", "8504000"),
        ("850/400", None),
        ("85O4000", None),
        ("", None),
    ],
)
def test_a_laestab_is_seven_digits_however_it_is_written(written: str, plain: str | None) -> None:
    assert plain_laestab(written) == plain
