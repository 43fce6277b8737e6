"""Days as schools count them: a grant begins and ends at midnight in London."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kit import clock

LONDON = ZoneInfo("Europe/London")


def today() -> date:
    """The present day."""
    return clock.now().astimezone(LONDON).date()


def end_of(day: date) -> datetime:
    """The instant at which a day is over."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON).astimezone(UTC)
