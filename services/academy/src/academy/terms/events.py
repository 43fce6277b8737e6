"""What the feed announces of terms."""

from datetime import date
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from academy.terms.tables import Term
from kit.events.changes import Change
from kit.events.recording import EventType


class TermFacts(BaseModel):
    """A term as the feed shows it."""

    term_id: UUID = Field(description="Id of the term.")
    urn: int | None = Field(description="The academy; null for the trust.")
    state: str = Field(description="Its state.")
    academic_year: str = Field(description="The academic year.")
    term: str = Field(description="Which of its terms.")
    starts_on: date = Field(description="The first day.")
    ends_on: date = Field(description="The last day.")
    half_term_starts_on: date | None = Field(description="The first day of the half-term holiday; null without one.")
    half_term_ends_on: date | None = Field(description="Its last day; null without one.")

    @classmethod
    def of(cls, found: Term) -> Self:
        """The facts of a term."""
        return cls(term_id=found.id, **found.model_dump(include=set(cls.model_fields)))


class TermChange(Change[TermFacts]):
    """A term before and after a change."""


def _type(word: str, title: str) -> EventType:
    return EventType(f"org.trellis.academy.term.{word}.v1", title, "terms:read", TermChange)


CREATED = _type("created", "The dates of a term were set")
CHANGED = _type("changed", "The dates of a term were changed")
RETIRED = _type("retired", "A term was retired: its dates count no longer")
RESTORED = _type("restored", "A retired term counts again")
