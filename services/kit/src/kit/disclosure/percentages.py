"""Percentages of counts, shown only where they give no hidden count away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from kit.disclosure.errors import CountInvalid
from kit.disclosure.published import PublishedTable
from kit.disclosure.tables import Cell, CountTable, Sum, shown


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, such as those who reached a standard of those who sat."""

    part: Cell
    whole: Cell

    @property
    def rest(self) -> Cell:
        """The cell of those who are in the whole and not in the part. 97% of 100 says 3 as clearly as a count does."""
        return tuple(sorted((*self.whole, ("rest", shown(self.part)))))


class Withheld(StrEnum):
    """Why there is no percentage."""

    SUPPRESSED = "suppressed"
    NOBODY_COUNTED = "nobody_counted"


def with_rests(table: CountTable, shares: Iterable[Share]) -> CountTable:
    """The table with a cell for the rest of each share, so that small rests are protected like other small counts.

    Raises CountInvalid when a part is larger than its whole or has no count.
    """
    counts, sums = dict(table.counts), list(table.sums)
    for share in dict.fromkeys(shares):
        for where in (share.part, share.whole):
            if where not in table.counts:
                raise CountInvalid(f"{shown(where)} has no count")
        counts[share.rest] = table.counts[share.whole] - table.counts[share.part]
        sums.append(Sum(share.whole, (share.part, share.rest)))
    return CountTable(counts, tuple(sums))


def percentage(published: PublishedTable, share: Share, *, decimals: int = 1) -> Decimal | Withheld:
    """The share in per cent, rounded half up; withheld when its part, its whole or its rest is hidden.

    Raises CountInvalid when the table was suppressed without the rest of this share (`with_rests`).
    """
    for where in (share.part, share.whole, share.rest):
        if where not in published.hidden and where not in published.shown:
            raise CountInvalid(f"{shown(where)} is not in the table; add the rests of its shares before suppressing")
    part, whole = published.count(share.part), published.count(share.whole)
    if part is None or whole is None or published.count(share.rest) is None:
        return Withheld.SUPPRESSED
    if whole == 0:
        return Withheld.NOBODY_COUNTED
    return (Decimal(100 * part) / Decimal(whole)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
