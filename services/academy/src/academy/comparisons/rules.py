"""Where a figure stands among others: pure decisions over numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import Final

LEAST_SCHOOLS: Final = 20
"""Among fewer schools a percentile says little about the academy, and much about each of the others."""

_TENTH: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Spread:
    """The published figures of all schools of a phase in one year: each value, lowest first, and how many reach it."""

    values: tuple[Decimal, ...]
    up_to: tuple[int, ...]

    @classmethod
    def of(cls, counted: Iterable[tuple[Decimal, int]]) -> Spread:
        """From each value with the number of schools that have it; the order doesn't matter."""
        ordered = sorted(counted)
        return cls(tuple(value for value, _ in ordered), tuple(accumulate(count for _, count in ordered)))

    @property
    def schools(self) -> int:
        """How many schools have a figure."""
        return self.up_to[-1] if self.up_to else 0

    def percentile(self, value: Decimal) -> float | None:
        """The percentage of schools with a lower figure, those with the same counted by half; one decimal.

        None when the value isn't one of them, or when they are fewer than LEAST_SCHOOLS.
        """
        place = bisect_left(self.values, value)
        if self.schools < LEAST_SCHOOLS or place == len(self.values) or self.values[place] != value:
            return None
        below = self.up_to[place - 1] if place else 0
        same = self.up_to[place] - below
        percent = Decimal(100) * (2 * below + same) / (2 * self.schools)
        return float(percent.quantize(_TENTH, ROUND_HALF_UP))
