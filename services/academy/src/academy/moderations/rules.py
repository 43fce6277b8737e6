"""When an override counts: pure decisions about days in London."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
LONGEST_DAYS = 366


def day_in_london(instant: datetime) -> date:
    """The day that it is in London at an instant."""
    return instant.astimezone(LONDON).date()


def end_of(day: date) -> datetime:
    """The instant at which a day ends in London: midnight there, whether that is 23:00 or 24:00 UTC."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)


def may_lapse_on(day: date, today: date) -> bool:
    """An override counts at least until tomorrow and for a year at most."""
    return today < day <= today + timedelta(days=LONGEST_DAYS)
