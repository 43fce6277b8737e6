"""Days as schools count them: a day begins and ends at midnight in London, whatever the hour in UTC."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")


def day_in_london(instant: datetime) -> date:
    """The day that it is in England at an instant. Raises ValueError for a time without a zone."""
    if instant.tzinfo is None:
        raise ValueError("a time without a zone is on no day")
    return instant.astimezone(LONDON).date()


def next_day_in_london(instant: datetime) -> date:
    """The day after the one that it is in England at an instant: what was due on that day is late from then on."""
    return day_in_london(instant) + timedelta(days=1)


def start_of(day: date) -> datetime:
    """The instant at which a day begins in London, in UTC."""
    return datetime.combine(day, time(), LONDON).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The instant at which a day ends in London, in UTC: midnight there, whether that is 23:00 or 24:00 UTC."""
    return start_of(day + timedelta(days=1))


def months_after(day: date, months: int) -> date:
    """The same day so many calendar months later, or the month's last day when it is shorter: six months after
    31 August is 28 or 29 February."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
