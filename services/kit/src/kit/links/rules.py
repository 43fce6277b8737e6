"""Until when a link counts."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 400
# Where a day of a link ends. A service's own days are the sector's; the kit knows this one alone.
ZONE = ZoneInfo("Europe/London")


def day_of(instant: datetime) -> date:
    """The day on which links end or don't."""
    return instant.astimezone(ZONE).date()


def may_expire_on(day: date, now: datetime) -> bool:
    """Today or later, and at most 400 days ahead."""
    today = day_of(now)
    return today <= day <= today + timedelta(days=LONGEST_DAYS)


def has_expired(expires_on: date, now: datetime) -> bool:
    """Is the last day over?"""
    return day_of(now) > expires_on
