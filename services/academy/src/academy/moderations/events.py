"""What the feed tells of moderations. The reason isn't told: it is read by who may, where it can be withdrawn."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.rules import Status
from kit.events.recording import EventType


class StatusTold(BaseModel):
    """What is told of an academy."""

    model_config = ConfigDict(extra="forbid")

    status: Status = Field(description="The status that is told.")
    moderated: bool = Field(description="Is it a person's override?")


class RatingModerated(BaseModel):
    """A computed rating was overridden."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    rating_id: UUID = Field(description="The rating.")
    moderation_id: UUID = Field(description="The override.")
    before: StatusTold = Field(description="What was told.")
    after: StatusTold = Field(description="What is told now.")
    lapses_on: date = Field(description="The last day on which it counts, in London.")


Ending = Literal["withdrawn", "lapsed", "replaced", "left"]


class ModerationEndedData(BaseModel):
    """An override counts no longer."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    moderation_id: UUID = Field(description="The override.")
    how: Ending = Field(description="Why it ended.")
    before: StatusTold = Field(description="What was told.")
    after: StatusTold | None = Field(description="What is told now; null for an academy that left.")


MODERATED = EventType(
    "org.trellis.academy.rating.moderated.v1", "A computed rating was overridden", "ratings:read", RatingModerated
)
ENDED = EventType(
    "org.trellis.academy.moderation.ended.v1", "An override counts no longer", "ratings:read", ModerationEndedData
)
