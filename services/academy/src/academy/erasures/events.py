"""What the feed announces of erasures: which figure, never what it was and never why."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kit.events.recording import EventType


class ObservationErased(BaseModel):
    """A trust erased a figure of its own from its history: delete your copies of its value, also in ratings."""

    model_config = ConfigDict(extra="forbid")

    erasure_id: UUID = Field(description="The erasure.")
    observation_ids: list[UUID] = Field(description="Every version of the figure that had the value.")
    rating_ids: list[UUID] = Field(description="Ratings that rested on it. Their events in the feed have lost it too.")
    urn: int = Field(description="The academy.")
    measure: str = Field(description="The measure.")
    pupil_group: str = Field(description="Which pupils.")
    academic_year: str = Field(description="The academic year.")
    period: str = Field(description="The part of the year.")
    by: str = Field(description="Who erased it: subject of the token.")
    as_role: str = Field(description="In which role.")


ERASED = EventType(
    "org.trellis.academy.observation.erased.v1",
    "A trust erased a figure of its own from its history",
    "observations:read",
    ObservationErased,
)
