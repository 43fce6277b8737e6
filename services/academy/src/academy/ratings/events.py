"""What the feed announces about ratings."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.rules import Status
from academy.moderations.events import PublishedStatus, StepFacts
from kit.events.changes import EventTitle
from kit.events.recording import EventType


class PublishedRating(BaseModel):
    """A computed rating in short."""

    model_config = ConfigDict(extra="forbid")

    rating_id: UUID = Field(description="The rating.")
    status: Status = Field(description="Its computed status.")


class CountsFacts(BaseModel):
    """How many criteria have each status."""

    red: int = Field(description="Criteria in red.")
    amber: int = Field(description="Criteria in amber.")
    green: int = Field(description="Criteria in green.")
    not_assessed: int = Field(description="Criteria without a colour.")


class CriterionFacts(BaseModel):
    """One criterion in short; the rating itself explains it."""

    code: str = Field(description="Names the criterion inside the set.")
    title: EventTitle = Field(description="The question.")
    status: Status = Field(description="Its status.")
    value: float | None = Field(description="The figure; null when there is none.")
    reason: str | None = Field(description="Why there is no colour, as a code; null when there is one.")
    unit: str = Field(description="What the number counts.")
    period: str | None = Field(description="Academic year of the figure, with the term if not all of it.")


class RatingComputed(BaseModel):
    """An academy has a new rating: the one before and the new one."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    before: PublishedRating | None = Field(description="The rating before; null for the first.")
    after: PublishedRating = Field(description="The new rating.")
    criteria_set_id: UUID = Field(description="The criteria that it was rated by.")
    phase: str = Field(description="The phase that it was rated as.")
    step: StepFacts | None = Field(description="The computed step of the trust's own scale; null when not assessed.")
    counts: CountsFacts = Field(description="How many criteria have each status.")
    data_as_at: datetime | None = Field(description="When the newest of its figures was recorded; null without any.")
    rated_at: datetime = Field(description="When it was computed.")
    shown: PublishedStatus = Field(description="What boards show now: this rating, or the override that is in force.")
    criteria: list[CriterionFacts] = Field(description="Every criterion, in the order of the set.")


COMPUTED = EventType(
    "org.trellis.academy.rating.computed.v1", "An academy has a new rating", "ratings:read", RatingComputed
)
