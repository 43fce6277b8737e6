"""Decisions about terms: pure, over plain values."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from academy.codes import Code
from sector.terms import TERMS, Term
from sector.years import academic_year_on


@dataclass(frozen=True, slots=True)
class Dates:
    """The first and last day of a term and of its half-term holiday; the last two are None when it has none."""

    academic_year: str
    term: str
    starts_on: date
    ends_on: date
    half_term_starts_on: date | None = None
    half_term_ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one field."""

    field: str
    code: Code
    detail: str


def flaw_of(dates: Dates) -> Flaw | None:
    """What is wrong with the dates of one term, the first thing found; None when nothing is."""
    for field in ("starts_on", "ends_on"):
        if academic_year_on(getattr(dates, field)) != dates.academic_year:
            return Flaw(
                field, Code.OUTSIDE_ACADEMIC_YEAR, f"Choose a day of {dates.academic_year}, September to August."
            )
    if dates.ends_on <= dates.starts_on:
        return Flaw("ends_on", Code.ENDS_BEFORE_IT_STARTS, "Choose a day after the first.")
    first, last = dates.half_term_starts_on, dates.half_term_ends_on
    if first is None and last is None:
        return None
    if first is None or last is None:
        missing = "half_term_starts_on" if first is None else "half_term_ends_on"
        return Flaw(missing, Code.HALF_TERM_INCOMPLETE, "Give both days of the half-term holiday, or neither.")
    if not dates.starts_on < first <= last < dates.ends_on:
        return Flaw("half_term_starts_on", Code.HALF_TERM_OUTSIDE_TERM, "The half-term holiday lies inside the term.")
    return None


def clash(dates: Dates, others: Iterable[Dates]) -> str | None:
    """How a term clashes with others of the same academy (or trust) and year, in a sentence; None when it doesn't."""
    for other in others:
        if other.term == dates.term:
            return f"{other.academic_year} has its {other.term} term already."
        earlier, later = sorted((dates, other), key=_place)
        if earlier.ends_on >= later.starts_on:
            return f"The {earlier.term} term must end before the {later.term} term begins."
    return None


def _place(dates: Dates) -> int:
    return TERMS.index(Term(dates.term))
