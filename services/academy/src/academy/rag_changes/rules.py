"""How a change is put into words."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """What happened."""

    RATED = "rated"
    OVERRIDDEN = "overridden"
    OVERRIDE_ENDED = "override-ended"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an academy's status. `is_covered` says that an override was in force, so that the board stayed."""

    id: UUID
    kind: Kind
    academy: str
    before: str | None
    after: str | None
    at: datetime
    is_covered: bool = False
    lapses_on: date | None = None
    how: str | None = None


_ENDS = {
    "withdrawn": "was withdrawn",
    "lapsed": "has reached its last day",
    "left": "ended: the academy left the trust",
}


def title_of(change: Change) -> str:
    """In a few words: `Chorlton High School: amber to green`."""
    before, after = _words(change.before), _words(change.after)
    if change.kind is Kind.RATED and change.is_covered:
        return f"{change.academy}: figures now say {after}, the override stays"
    if after is None:
        return f"{change.academy}: left the trust"
    if before is None:
        return f"{change.academy}: first rated {after}"
    if before == after:
        return f"{change.academy}: stays {after}"
    return f"{change.academy}: {before} to {after}"


def content_of(change: Change) -> str:
    """In a sentence or two."""
    if change.kind is Kind.RATED:
        rest = " A person's override is in force and is what the board shows." if change.is_covered else ""
        return f"Rated from figures.{rest}"
    if change.kind is Kind.OVERRIDDEN:
        until = f" It counts until {change.lapses_on.day} {change.lapses_on:%B %Y}." if change.lapses_on else ""
        return f"A person has overridden the computed rating.{until}"
    return f"The override {_ENDS.get(change.how or '', 'ended')}."


def _words(status: str | None) -> str | None:
    return None if status is None else status.replace("_", " ")
