"""Academic years, September to August, written `2018/19`: reading them, and how far apart they are."""

import re
from datetime import date
from typing import Final

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2099

# U+2013 is the en dash that word processors make of a hyphen.
LAYOUT: Final = r"^\s*([0-9]{4})\s*[/_\-\u2013]?\s*([0-9]{4}|[0-9]{2})\s*$"
"""How an academic year may be written; that the second year follows the first is no matter of layout."""
_LAYOUT: Final = re.compile(LAYOUT)


def parse_academic_year(text: str) -> str:
    """The year as `2018/19`, from 2018/19, 2018-19, 201819, 2018_19, 2018-2019, 2018/2019 or 20182019.

    Raises ValueError when it isn't an academic year, such as 2018/20 (two years) or 2018 (which half?).
    """
    found = _LAYOUT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not an academic year such as 2018/19")
    start, end = int(found[1]), found[2]
    if not FIRST_YEAR <= start <= LAST_YEAR:
        raise ValueError(f"{text!r} is not an academic year from {FIRST_YEAR} to {LAST_YEAR}")
    if int(end) != (start + 1) % (100 if len(end) == 2 else 10_000):
        raise ValueError(f"{text!r} is not one academic year: {start} is followed by {start + 1}")
    return format_academic_year(start)


def format_academic_year(start: int) -> str:
    """The academic year that begins in September of this calendar year: 2018 gives `2018/19`."""
    return f"{start}/{(start + 1) % 100:02d}"


def academic_year_on(day: date) -> str:
    """The academic year of a day: years begin on 1 September."""
    return format_academic_year(day.year if day.month >= 9 else day.year - 1)


def year_start(academic_year: str) -> int:
    """The calendar year in which it begins: `2018/19` gives 2018. Raises ValueError as
    parse_academic_year."""
    return int(parse_academic_year(academic_year)[:4])


def year_distance(earlier: str, later: str) -> int:
    """How many academic years `later` is after `earlier`; negative when it is before."""
    return year_start(later) - year_start(earlier)


def shift_year(academic_year: str, by: int) -> str:
    """The academic year so many years later, or earlier when `by` is negative."""
    return format_academic_year(year_start(academic_year) + by)
