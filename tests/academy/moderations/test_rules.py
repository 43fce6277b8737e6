"""Days in London: when an override ends, and how long it may last."""

from datetime import UTC, date, datetime

import pytest

from academy.moderations.rules import day_in_london, end_of, may_lapse_on


@pytest.mark.parametrize(
    ("day", "ends_at"),
    [
        (date(2026, 1, 15), datetime(2026, 1, 16, 0, tzinfo=UTC)),
        (date(2026, 7, 15), datetime(2026, 7, 15, 23, tzinfo=UTC)),
        (date(2026, 3, 28), datetime(2026, 3, 29, 0, tzinfo=UTC)),  # the clocks go forward that night
        (date(2026, 3, 29), datetime(2026, 3, 29, 23, tzinfo=UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 24, 23, tzinfo=UTC)),  # and back
        (date(2026, 10, 25), datetime(2026, 10, 26, 0, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_in_london(day: date, ends_at: datetime) -> None:
    assert end_of(day) == ends_at
    assert day_in_london(ends_at) > day


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
