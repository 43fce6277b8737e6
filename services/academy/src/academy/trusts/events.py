"""What the feed announces to a trust about its academies: who belongs, and what the register calls them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kit.events.changes import EventTitle
from kit.events.recording import EventType


class AcademyMoved(BaseModel):
    """An academy belongs to the trust from now on, or no longer. Announced when the day has come, not before.

    The days are those that the register says now. Where a day of joining was put off that had come already, the
    academy has left, and `joined_on` is the day on which it will join again.
    """

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    joined_on: date = Field(description="First day in the trust.")
    left_on: date | None = Field(description="First day on which it belonged to the trust no longer; may be to come.")
    import_id: UUID | None = Field(description="The import that said so.")


class AcademyJoined(AcademyMoved):
    """An academy belongs to the trust from now on. Announced when the day has come, not before.

    The days are those that the register says now.
    """

    name: EventTitle = Field(description="Its name in the register.")
    phase: str | None = Field(description="Its phase; null when unknown.")
    local_authority: str | None = Field(description="Name of the local authority; null when unknown.")
    local_authority_code: str | None = Field(description="Its three-digit code; null when unknown.")


class AcademyFacts(BaseModel):
    """What the register says of an academy, as far as boards show it."""

    name: EventTitle = Field(description="Its name.")
    phase: str | None = Field(description="Its phase; null when unknown.")


class AcademyChanged(BaseModel):
    """The register gives an academy of the trust another name or phase.

    Also announced of every academy when its trust is rated for the first time, so that the feed alone says who belongs.
    """

    urn: int = Field(description="The academy.")
    before: AcademyFacts | None = Field(description="What was announced before; null when nothing was.")
    after: AcademyFacts = Field(description="What the register says now.")
    joined_on: date = Field(description="First day in the trust.")
    local_authority: str | None = Field(description="Name of the local authority; null when unknown.")
    local_authority_code: str | None = Field(description="Its three-digit code; null when unknown.")


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
    data=AcademyJoined,
)
ACADEMY_CHANGED = EventType(
    type="org.trellis.academy.academy.changed.v1",
    title="The register gives an academy of the trust another name or phase",
    scope="academies:read",
    data=AcademyChanged,
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
