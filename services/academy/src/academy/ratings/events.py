"""What the feed tells of ratings."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.rules import Status
from kit.events.recording import EventType


class RatingTold(BaseModel):
    """A computed rating in short."""

    model_config = ConfigDict(extra="forbid")

    rating_id: UUID = Field(description="The rating.")
    status: Status = Field(description="Its computed status.")


class RatingComputed(BaseModel):
    """An academy was rated anew: what the rating before said, and what this one says."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    before: RatingTold | None = Field(description="What was told before; null for the first.")
    after: RatingTold = Field(description="What is told now, unless a person's override is in force.")
    criteria_set_id: UUID = Field(description="The criteria that it was rated by.")


COMPUTED = EventType(
    "org.trellis.academy.rating.computed.v1", "An academy was rated anew", "ratings:read", RatingComputed
)
