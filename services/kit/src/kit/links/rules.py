"""Until when a link counts, and with which rights."""

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody holds now, and for which academies: None for no list of them."""

    role: str
    academies: frozenset[int] | None


def has_right(roles: Iterable[str], academies: frozenset[int] | None, held: Iterable[Held]) -> bool:
    """Does somebody with these grants still hold each of the roles for all of these academies (None: no list)?

    One of two grants may have passed its last day, which nothing announces: the other gives no right to what only the
    first one covered.
    """
    places: dict[str, list[frozenset[int] | None]] = {}
    for one in held:
        places.setdefault(one.role, []).append(one.academies)
    return bool(places) and all(role in places and _covers(places[role], academies) for role in roles)


def _covers(places: Iterable[frozenset[int] | None], academies: frozenset[int] | None) -> bool:
    lists = [place for place in places if place is not None]
    has_all = len(lists) < len(list(places))
    return has_all or (academies is not None and academies <= frozenset().union(*lists))
