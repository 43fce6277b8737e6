"""What became of memberships: pure decisions over days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest


@dataclass(frozen=True, slots=True)
class Days:
    """From when until when an academy belongs to a trust; `left_on` is the first day on which it doesn't."""

    joined_on: date
    left_on: date | None


def changes(before: Sequence[Days], after: Sequence[Days]) -> list[tuple[Days | None, Days | None]]:
    """What took the place of what, of one academy's memberships of one trust; what stayed the same is left out.

    Those with the same first day belong together, the others in the order of their days. None stands for nothing.
    """
    then, now = ({days.joined_on: days for days in said} for said in (before, after))
    pairs: list[tuple[Days | None, Days | None]] = [(then[day], now[day]) for day in then.keys() & now.keys()]
    ended, begun = ([said[day] for day in sorted(said)] for said in (_without(then, now), _without(now, then)))
    pairs += zip_longest(ended, begun)
    return sorted((pair for pair in pairs if pair[0] != pair[1]), key=_first_day)


def _without(said: dict[date, Days], other: dict[date, Days]) -> dict[date, Days]:
    return {day: days for day, days in said.items() if day not in other}


def _first_day(pair: tuple[Days | None, Days | None]) -> date:
    return min(days.joined_on for days in pair if days is not None)
