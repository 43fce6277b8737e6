"""What the feed tells a trust of its academies' memberships."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kit.events.recording import EventType


class AcademyMoved(BaseModel):
    """An academy belongs to the trust from now on, or no longer. Told when the day has come, not before.

    The days are those that the register says now. Where a day of joining was put off that had come already, the
    academy has left, and `joined_on` is the day on which it will join again.
    """

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    joined_on: date = Field(description="First day in the trust.")
    left_on: date | None = Field(description="First day on which it belonged to the trust no longer; may be to come.")
    import_id: UUID | None = Field(description="The import that said so.")


class MembershipDays(BaseModel):
    """From when until when an academy belongs to the trust."""

    model_config = ConfigDict(extra="forbid")

    joined_on: date = Field(description="First day in the trust.")
    left_on: date | None = Field(description="First day on which it belongs to the trust no longer; null for open.")


class MembershipChanged(BaseModel):
    """The register says other days of an academy's membership than before: new, ended, corrected, or to come."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    before: MembershipDays | None = Field(description="What was known; null for nothing.")
    after: MembershipDays | None = Field(description="What is known now; null when it never belonged after all.")
    import_id: UUID = Field(description="The import that said so.")


ACADEMY_JOINED = EventType(
    type="org.trellis.academy.academy.joined.v1",
    title="An academy belongs to the trust from now on",
    scope="academies:read",
    data=AcademyMoved,
)
ACADEMY_LEFT = EventType(
    type="org.trellis.academy.academy.left.v1",
    title="An academy belongs to the trust no longer",
    scope="academies:read",
    data=AcademyMoved,
)
MEMBERSHIP_CHANGED = EventType(
    type="org.trellis.academy.membership.changed.v1",
    title="The register says other days of an academy's membership, past or to come",
    scope="academies:read",
    data=MembershipChanged,
)
