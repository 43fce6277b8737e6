"""The three terms of an academic year, and the words that published tables use for parts of a year.

When a term begins and ends differs between trusts and local authorities, so it isn't decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering
from types import MappingProxyType
from typing import Final

from sector.years import parse_academic_year, shift_year


class Term(StrEnum):
    """A term, in the order of the academic year."""

    AUTUMN = "autumn"
    SPRING = "spring"
    SUMMER = "summer"


TERMS: Final = tuple(Term)

TIME_IDENTIFIERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "academic year": "year",
        "autumn term": "autumn",
        "spring term": "spring",
        "summer term": "summer",
        "autumn and spring term": "autumn_spring",
    }
)
"""The period that a `time_identifier` of Explore Education Statistics names, by its words in lower case."""


def term_of(time_identifier: str) -> Term | None:
    """The term that a `time_identifier` such as `Autumn term` names; None for a whole year or several terms.

    Raises ValueError for words that aren't one.
    """
    period = TIME_IDENTIFIERS.get(" ".join(time_identifier.split()).lower())
    if period is None:
        raise ValueError(f"{time_identifier!r} is not a time identifier such as 'Autumn term'")
    return Term(period) if period in TERMS else None


@total_ordering
@dataclass(frozen=True, slots=True)
class TermOfYear:
    """One term of one academic year. Sorts by time."""

    academic_year: str
    term: Term

    def __lt__(self, other: TermOfYear) -> bool:
        return self._place() < other._place()

    def _place(self) -> tuple[str, int]:
        return self.academic_year, TERMS.index(self.term)

    def __str__(self) -> str:
        return f"{self.academic_year} {self.term}"

    def shifted(self, by: int) -> TermOfYear:
        """The term so many terms later, or earlier when `by` is negative: summer is followed by autumn of the next
        year."""
        years, place = divmod(TERMS.index(self.term) + by, len(TERMS))
        return TermOfYear(shift_year(self.academic_year, years), TERMS[place])


def parse_term_of_year(time_period: str, time_identifier: str) -> TermOfYear:
    """A term as published tables name it: `202425` and `Autumn term`. Raises ValueError when it isn't one term."""
    term = term_of(time_identifier)
    if term is None:
        raise ValueError(f"{time_identifier!r} is not one term")
    return TermOfYear(parse_academic_year(time_period), term)
