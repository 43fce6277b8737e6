"""Moderations as clients write and read them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.documents import Colour, RulesDocument, StepCode, step_on_scale
from academy.criteria.rules import Status
from academy.moderations.tables import Moderation
from academy.moderations.transitions import MODERATIONS
from academy.parameters import today
from kit.etags import etag
from kit.identity.callers import Caller
from kit.resources.fields import Day, HttpsUrl, ReasonGiven, Words
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.transitions import ActionOut
from sector.parameters import Urn


class ModerationState(StrEnum):
    """Whether it is in force, and if not, why."""

    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    REPLACED = "replaced"
    LEFT = "left"


class ModerationCreate(BaseModel):
    """A person's override of a computed rating."""

    model_config = ConfigDict(extra="forbid")

    status: Colour = Field(description="The status to publish instead of the computed one.", examples=["amber"])
    step: StepCode | None = Field(
        default=None,
        description="The step of the trust's scale, when several steps have this status. Null: the best of them.",
        examples=["amber"],
    )
    reason: Words = Field(
        description="Why, for everybody who may read ratings. Name no pupil and no member of staff.",
        examples=["The cohort of 2025 was unusual: a third joined in Year 11."],
    )
    evidence_url: HttpsUrl | None = Field(
        default=None,
        description="Where the evidence is. Without it: in files that you add (`POST /moderations/{id}/files`).",
        examples=["https://trust.example/minutes/2026-11-18"],
    )
    lapses_on: Day = Field(
        description="The last day on which it counts (in London): after today, and within 366 days.",
        examples=["2027-03-31"],
    )


class ModerationWithdraw(ReasonGiven):
    """The end of an override, before its day."""


class StepOut(BaseModel):
    """A step of the trust's own scale."""

    code: str = Field(description="Names the step.", examples=["amber"])
    label: str = Field(description="The word that people see.", examples=["Amber"])
    order: int = Field(description="Its place on the scale, the best being 1.", examples=[2])


class ModerationOut(Tagged):
    """One override of what is computed for an academy."""

    id: UUID = Field(description="Id of the moderation.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn = Field(description="The academy.", examples=[135874])
    rating_id: UUID = Field(
        description="The rating for which it was made.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"]
    )
    status: Colour = Field(description="The status to publish instead of the computed one.", examples=["amber"])
    step: StepOut = Field(
        description="The step of the trust's own scale: while it is in force, of the scale that the academy is rated "
        "by, and later as it was given."
    )
    computed_status: Status = Field(description="What was computed when it was made.", examples=["red"])
    reason: str = Field(description="Why.", examples=["The cohort of 2025 was unusual."])
    evidence_url: str = Field(
        description="Where the evidence is; the path of the override's own files when no address was given.",
        examples=["https://trust.example/minutes"],
    )
    lapses_on: date = Field(description="The last day on which it counts (in London).", examples=["2027-03-31"])
    state: ModerationState = Field(description="Whether it is in force, and if not, why.", examples=["in_force"])
    made_at: datetime = Field(description="When it was made.", examples=["2026-11-22T08:00:00Z"])
    made_by: str = Field(description="Who made it, as tokens name people.", examples=["person:ada"])
    ended_at: datetime | None = Field(description="When it ended.", examples=[None])
    ended_by: str | None = Field(description="Who withdrew or replaced it.", examples=[None])
    ended_reason: str | None = Field(
        description="Why it was withdrawn; null when no reason was given.", examples=[None]
    )
    actions: list[ActionOut] = Field(description="What you may do with it now.")

    @classmethod
    def of(cls, found: Moderation, rules: RulesDocument | None, caller: Caller) -> Self:
        """An override as this caller sees it; `rules` are those that its academy is rated by while it is in force."""
        state = found.state_on(today())
        step = found.step if rules is None else step_on_scale(found.step, found.status, rules.steps)
        # The tag names what is shown: the step follows the scale, and one that lapsed says so before the job ends it.
        version = str(found.version) + (f".{step['code']}.{step['order']}" if step != found.step else "")
        tag = etag(version + (".lapsed" if state == "lapsed" and found.ended_at is None else ""))
        fields = {**found.model_dump(include=set(cls.model_fields)), "step": step, "state": state}
        return cls(**fields, actions=MODERATIONS.actions(found, caller)).tagged(tag)


class ModerationPage(Page[ModerationOut]):
    """A page of moderations."""


class ModerationListParams(ListParams):
    """Where to go on in the list of an academy's moderations."""
