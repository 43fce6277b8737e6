"""What the feed announces to a trust about its academies: who belongs, and what the register calls them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kit.events.changes import EventTitle
from kit.events.recording import EventType


class AcademyMoved(BaseModel):
    """An academy has left the trust. Announced on the day, not before.

    The days are those in the register now. If a day of joining has passed and is then moved to a later day, the
    academy has left, and `joined_on` is the day on which it will join again.

    Take it off the board and keep its ratings: they stay in its history, and an academy that joins again shows the last
    of them. Its override ends with it, which is an event of its own.
    """

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    joined_on: date = Field(description="First day in the trust.")
    left_on: date | None = Field(description="First day after the membership; may be in the future.")
    import_id: UUID | None = Field(description="The import that loaded it.")


class AcademyJoined(AcademyMoved):
    """An academy has joined the trust. Announced on the day, not before.

    The days are those in the register now. An academy that belonged to the trust before shows its last rating again,
    without the override of then, until it has a new one. No event repeats that rating.
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
    """The register's entry of an academy of the trust has changed: its name or phase, or anything else of it.

    With `before` and `after` alike it is something else that the API shows: an inspection, a link, its trust's name.
    Also announced of every academy when its trust is rated for the first time, so that the feed alone says who belongs.
    """

    urn: int = Field(description="The academy.")
    before: AcademyFacts | None = Field(description="What was announced before; null when nothing was.")
    after: AcademyFacts = Field(description="What the register has now.")
    joined_on: date = Field(description="First day in the trust.")
    local_authority: str | None = Field(description="Name of the local authority; null when unknown.")
    local_authority_code: str | None = Field(description="Its three-digit code; null when unknown.")


class MembershipDays(BaseModel):
    """From when until when an academy belongs to the trust."""

    model_config = ConfigDict(extra="forbid")

    joined_on: date = Field(description="First day in the trust.")
    left_on: date | None = Field(description="First day after the membership; null while there is no end.")


class MembershipChanged(BaseModel):
    """The days of an academy's membership have changed in the register: new, ended, corrected, or in the future."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    before: MembershipDays | None = Field(description="The days before; null when there were none.")
    after: MembershipDays | None = Field(description="The days now; null when the membership was an error.")
    import_id: UUID = Field(description="The import that loaded it.")


ACADEMY_JOINED = EventType(
    type="org.trellis.academy.academy.joined.v1",
    title="An academy has joined the trust",
    scope="academies:read",
    data=AcademyJoined,
)
ACADEMY_CHANGED = EventType(
    type="org.trellis.academy.academy.changed.v1",
    title="The register's entry of an academy of the trust has changed",
    scope="academies:read",
    data=AcademyChanged,
)
ACADEMY_LEFT = EventType(
    type="org.trellis.academy.academy.left.v1",
    title="An academy has left the trust",
    scope="academies:read",
    data=AcademyMoved,
)
MEMBERSHIP_CHANGED = EventType(
    type="org.trellis.academy.membership.changed.v1",
    title="The days of an academy's membership have changed, past or in the future",
    scope="academies:read",
    data=MembershipChanged,
)
