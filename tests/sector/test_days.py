"""Days in London, in summer and in winter, and calendar months."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sector.days import day_in_london, end_of, months_after, next_day_in_london, start_of

DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))


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
    assert day_in_london(ends_at - timedelta(microseconds=1)) == day


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2026, 7, 1, 22, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), date(2026, 7, 2)),
        (datetime(2026, 12, 1, 23, 0, tzinfo=UTC), date(2026, 12, 1)),
        (datetime(2026, 12, 1, 23, 0, tzinfo=timezone(timedelta(hours=-5))), date(2026, 12, 2)),
    ],
)
def test_the_day_is_that_of_london_not_of_utc(instant: datetime, day: date) -> None:
    assert day_in_london(instant) == day
    assert next_day_in_london(instant) == day + timedelta(days=1)


def test_a_time_without_a_zone_is_on_no_day() -> None:
    with pytest.raises(ValueError, match="zone"):
        day_in_london(datetime(2026, 7, 1, 12))  # noqa: DTZ001 (the fault that is tried)


@given(day=DAYS)
def test_days_follow_each_other_without_a_gap(day: date) -> None:
    assert end_of(day) == start_of(day + timedelta(days=1))
    assert day_in_london(start_of(day)) == day
    assert end_of(day) - start_of(day) in {timedelta(hours=23), timedelta(hours=24), timedelta(hours=25)}


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 15), 6, date(2026, 7, 15)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 31), 6, date(2027, 6, 30)),
        (date(2026, 2, 28), 6, date(2026, 8, 28)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(2026, 6, 30), -6, date(2025, 12, 30)),
        (date(2026, 11, 30), 13, date(2027, 12, 30)),
    ],
)
def test_months_are_calendar_months_cut_at_the_last_day(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


@given(day=DAYS, months=st.integers(-120, 120))
def test_months_keep_the_day_or_take_the_last_of_the_month(day: date, months: int) -> None:
    later = months_after(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)
