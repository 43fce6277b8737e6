"""Which counts are small, and what somebody may know who tries to work them out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Knowledge(StrEnum):
    """What an attacker knows beside everything that is published, the rule, and that counts are whole numbers."""

    SYMBOL = "symbol"
    """That a hidden count isn't 0 (where zeros are shown). One symbol stands for all hidden counts."""

    SMALL_CELLS = "small_cells"
    """Also which counts are small, and so which aren't: more than most readers know, assumed to be on the safe side."""


@dataclass(frozen=True, slots=True)
class SuppressionRule:
    """Counts from 1 to `limit` are small. Raises ValueError when a bound is under 1.

    A hidden count is protected when, knowing only the symbol, the highest that it can be is at least `width` above the
    lowest; and when somebody who knows which counts are small is left with at least `width` whole numbers, or with all
    that this knowledge alone leaves: with a limit of 3 there are three, and the parts of a small total are below it.
    """

    limit: int = 5
    width: int = 5
    shows_zero: bool = True

    def __post_init__(self) -> None:
        if self.limit < 1 or self.width < 1:
            raise ValueError("a limit and a width are at least 1")

    @property
    def lowest(self) -> int:
        """The lowest count that can be hidden."""
        return 1 if self.shows_zero else 0

    def is_small(self, count: int) -> bool:
        """Must this count be hidden?"""
        return self.lowest <= count <= self.limit

    def bounds(self, knowledge: Knowledge, *, is_small: bool) -> tuple[int, int | None]:
        """The lowest and highest that an attacker knows of a hidden count before any sum; None for no highest."""
        if knowledge is Knowledge.SYMBOL:
            return self.lowest, None
        return (self.lowest, self.limit) if is_small else (self.limit + 1, None)

    def needed(self, knowledge: Knowledge, *, is_small: bool) -> int:
        """How far the highest possible number must be above the lowest for a hidden count to be protected."""
        if knowledge is Knowledge.SYMBOL:
            return self.width
        return min(self.width - 1, self.limit - self.lowest) if is_small else self.width - 1
