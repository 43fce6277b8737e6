"""How long an override may last."""

from datetime import date

import pytest

from academy.moderations.rules import may_lapse_on


@pytest.mark.parametrize(
    ("day", "allowed"),
    [
        (date(2026, 6, 1), False),
        (date(2026, 6, 2), True),
        (date(2027, 6, 2), True),
        (date(2027, 6, 3), False),
        (date(2020, 1, 1), False),
    ],
)
def test_an_override_lasts_until_tomorrow_at_least_and_a_year_at_most(day: date, allowed: bool) -> None:
    assert may_lapse_on(day, date(2026, 6, 1)) is allowed
