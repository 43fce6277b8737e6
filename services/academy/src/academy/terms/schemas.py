"""Terms as clients write and read them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.terms.tables import Term
from academy.terms.transitions import TERMS
from kit.identity.callers import Caller
from kit.resources.changes import ChangeOut
from kit.resources.fields import Day
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch
from kit.resources.transitions import ActionOut
from sector.parameters import AcademicYear, Urn
from sector.terms import Term as WhichTerm

OF_THE_TRUST = "The academy whose dates differ; null for the trust's own dates."


class TermState(StrEnum):
    """Do the dates count?"""

    ACTIVE = "active"
    RETIRED = "retired"


class TermCreate(BaseModel):
    """The dates of a term."""

    model_config = ConfigDict(extra="forbid")

    urn: Urn | None = Field(default=None, description=OF_THE_TRUST, examples=[None])
    academic_year: AcademicYear = Field(examples=["2026/27"])
    term: WhichTerm = Field(description="Which term of the year.", examples=["autumn"])
    starts_on: Day = Field(description="The first day.", examples=["2026-09-01"])
    ends_on: Day = Field(description="The last day.", examples=["2026-12-18"])
    half_term_starts_on: Day | None = Field(
        default=None, description="The first day of the half-term holiday.", examples=["2026-10-26"]
    )
    half_term_ends_on: Day | None = Field(default=None, description="Its last day.", examples=["2026-10-30"])


class TermPatch(MergePatch):
    """Which dates to change: a merge patch."""

    starts_on: Day = Field(default=date.min, description="The first day.", examples=["2026-09-01"])
    ends_on: Day = Field(default=date.max, description="The last day.", examples=["2026-12-18"])
    half_term_starts_on: Day | None = Field(
        default=None, description="The first day of the half-term holiday; null removes it.", examples=["2026-10-26"]
    )
    half_term_ends_on: Day | None = Field(
        default=None, description="Its last day; null removes it.", examples=["2026-10-30"]
    )


class TermOut(Tagged):
    """The dates of one term."""

    id: UUID = Field(description="Id of the term.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn | None = Field(description=OF_THE_TRUST, examples=[None])
    state: TermState = Field(description="Do the dates count?", examples=["active"])
    academic_year: str = Field(description="The academic year.", examples=["2026/27"])
    term: WhichTerm = Field(description="Which term of the year.", examples=["autumn"])
    starts_on: date = Field(description="The first day.", examples=["2026-09-01"])
    ends_on: date = Field(description="The last day.", examples=["2026-12-18"])
    half_term_starts_on: Day | None = Field(
        description="The first day of the half-term holiday; null without one.", examples=["2026-10-26"]
    )
    half_term_ends_on: Day | None = Field(description="Its last day; null without one.", examples=["2026-10-30"])
    created_at: datetime = Field(description="When it was set.", examples=["2026-11-22T08:00:00Z"])
    updated_at: datetime = Field(description="When it was changed last.", examples=["2026-11-22T08:00:00Z"])
    updated_by: str = Field(description="Who changed it last, as tokens name people.", examples=["person:0193e2f1"])
    updated_as: str = Field(description="In which role.", examples=["chief-executive"])
    actions: list[ActionOut] = Field(description="What you may do with it now.")

    @classmethod
    def of(cls, found: Term, caller: Caller) -> Self:
        """A term as this caller sees it."""
        fields = found.model_dump(include=set(cls.model_fields))
        return cls(**fields, actions=TERMS.actions(found, caller)).tagged(found.tag)


class TermPage(Page[TermOut]):
    """A page of terms."""


class TermListParams(ListParams):
    """Which terms to list."""

    urn: Annotated[
        Urn | None,
        Field(description="Those that count for this academy: its own, and the trust's where it has no own dates."),
    ] = None
    on: Annotated[
        Day | None,
        Field(
            description="The active term that this day lies in; with `urn` at most one. None in the holidays between."
        ),
    ] = None
    academic_year: Annotated[AcademicYear | None, Field(description="Of this academic year.")] = None
    state: Annotated[tuple[TermState, ...], Field(max_length=2, description="Only in these states.")] = ()


class TermChanges(BaseModel):
    """Every change of one term: of its state, and of its dates."""

    items: list[ChangeOut] = Field(description="Oldest first.")
