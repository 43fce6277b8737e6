"""When an override counts: pure decisions about days in London."""

from datetime import date, timedelta

LONGEST_DAYS = 366


def may_lapse_on(day: date, today: date) -> bool:
    """An override counts at least until tomorrow and for a year at most."""
    return today < day <= today + timedelta(days=LONGEST_DAYS)
