"""What the feed announces about criteria sets."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.criteria.schemas import CriteriaSetState
from kit.events.changes import EventTitle
from kit.events.recording import EventType


class CriteriaSetChanged(BaseModel):
    """A criteria set has changed its state or its content."""

    criteria_set_id: UUID = Field(description="The set.")
    phase: Phase = Field(description="Its phase.")
    title: EventTitle = Field(description="Its name.")
    version: int = Field(description="Its number among the trust's sets of the phase.")
    before: CriteriaSetState | Literal["absent"] = Field(description="Its state before.")
    after: CriteriaSetState | Literal["absent"] = Field(description="Its state now.")
    by: str = Field(description="Who did it: subject of the token.")
    as_role: str | None = Field(description="In which role.")


def _type(word: str, title: str) -> EventType:
    return EventType(f"org.trellis.academy.criteria-set.{word}.v1", title, "criteria:read", CriteriaSetChanged)


CREATED = _type("created", "A criteria set was drafted")
CHANGED = _type("changed", "A draft of a criteria set was changed")
DELETED = _type("deleted", "A draft of a criteria set was deleted")
PUBLISHED = _type("published", "A criteria set was published and rates academies from now on")
RETIRED = _type("retired", "A criteria set was retired: another replaced it")
