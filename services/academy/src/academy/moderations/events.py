"""What the feed announces about moderations. Never the reason: it is read by who may, where it can be withdrawn."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.rules import Status
from kit.events.recording import EventType


class StepFacts(BaseModel):
    """A step of the trust's own scale."""

    code: str = Field(description="Names the step.")
    label: str = Field(description="The word that people see.")
    order: int = Field(description="Its place on the scale, the best being 1.")


class PublishedStatus(BaseModel):
    """What boards show of an academy."""

    model_config = ConfigDict(extra="forbid")

    status: Status = Field(description="The status.")
    step: StepFacts | None = Field(description="The step of the scale that it is rated by; null when not assessed.")
    moderated: bool = Field(description="Is it a person's override?")


class RatingModerated(BaseModel):
    """A computed rating was overridden."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    rating_id: UUID = Field(description="The rating.")
    moderation_id: UUID = Field(description="The override.")
    before: PublishedStatus = Field(description="What boards showed.")
    after: PublishedStatus = Field(description="What boards show now.")
    lapses_on: date = Field(description="The last day on which it counts, in London.")
    by: str | None = Field(description="Who overrode it: subject of the token.")
    as_role: str | None = Field(description="In which role.")


Ending = Literal["withdrawn", "lapsed", "replaced", "left"]


class ModerationEndedData(BaseModel):
    """An override has ended."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    moderation_id: UUID = Field(description="The override.")
    how: Ending = Field(description="Why it ended.")
    before: PublishedStatus = Field(description="What boards showed.")
    after: PublishedStatus | None = Field(description="What boards show now; null for an academy that left.")
    by: str | None = Field(description="Who ended it: subject of the token; null when the service did, on its day.")
    as_role: str | None = Field(description="In which role; null when the service did.")


MODERATED = EventType(
    "org.trellis.academy.rating.moderated.v1", "A computed rating was overridden", "ratings:read", RatingModerated
)
ENDED = EventType(
    "org.trellis.academy.moderation.ended.v1", "An override has ended", "ratings:read", ModerationEndedData
)
