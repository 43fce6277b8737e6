"""Today, as schools count days: a grant begins and ends at midnight in London."""

from datetime import date

from kit import clock
from sector.days import day_in_london


def today() -> date:
    """The present day."""
    return day_in_london(clock.now())
