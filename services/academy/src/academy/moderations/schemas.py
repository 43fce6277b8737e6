"""Moderations as clients write and read them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.criteria.rules import Status
from academy.criteria.schemas import Colour, StepCode
from kit.resources.pages import ListParams, Page
from sector.parameters import Urn

EvidenceUrl = Annotated[
    str,
    Field(
        min_length=10,
        max_length=2000,
        pattern=r"^https://[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!-~]*)?$",
        description="Where the evidence is.",
        examples=["https://trust.example/minutes/2026-11-18"],
    ),
]


Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=10_000,
        pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
        description="Why, for everybody who may read ratings. Name no pupil and no member of staff.",
        examples=["The cohort of 2025 was unusual: a third joined in Year 11."],
    ),
]


class ModerationState(StrEnum):
    """Does it count, and if not, why not?"""

    IN_FORCE = "in_force"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    REPLACED = "replaced"
    LEFT = "left"


class ModerationCreate(BaseModel):
    """A person's override of a computed rating."""

    model_config = ConfigDict(extra="forbid")

    status: Colour = Field(description="What is told instead.", examples=["amber"])
    step: StepCode | None = Field(
        default=None,
        description="Which step of the scale that the academy is rated by, where several stand for the status; null "
        "for the best of them.",
        examples=["amber"],
    )
    reason: Reason
    evidence_url: EvidenceUrl
    lapses_on: date = Field(
        description="The last day on which it counts (in London): after today, and within 366 days.",
        examples=["2027-03-31"],
    )


class ModerationWithdraw(BaseModel):
    """The end of an override, before its day."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason | None = Field(
        default=None,
        description="Why it counts no longer, for everybody who may read ratings. Name no pupil, no member of staff.",
        examples=["The cohort's results were corrected."],
    )


class StepOut(BaseModel):
    """A step of the trust's own scale."""

    code: str = Field(description="Names the step.", examples=["amber"])
    label: str = Field(description="The word that people see.", examples=["Amber"])
    order: int = Field(description="Its place on the scale, the best being 1.", examples=[2])


class ModerationOut(BaseModel):
    """One override of what is computed for an academy."""

    id: UUID = Field(description="Id of the moderation.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn = Field(description="The academy.", examples=[135874])
    rating_id: UUID = Field(
        description="The rating for which it was made.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"]
    )
    status: Colour = Field(description="What is told instead.", examples=["amber"])
    step: StepOut = Field(
        description="The step of the trust's own scale: while it is in force, of the scale that the academy is rated "
        "by, and later as it was given."
    )
    computed_status: Status = Field(description="What was computed when it was made.", examples=["red"])
    reason: str = Field(description="Why.", examples=["The cohort of 2025 was unusual."])
    evidence_url: str = Field(description="Where the evidence is.", examples=["https://trust.example/minutes"])
    lapses_on: date = Field(description="The last day on which it counts (in London).", examples=["2027-03-31"])
    state: ModerationState = Field(description="Does it count, and if not, why not?", examples=["in_force"])
    made_at: datetime = Field(description="When it was made.", examples=["2026-11-22T08:00:00Z"])
    made_by: str = Field(description="Who made it, as tokens name people.", examples=["person:ada"])
    ended_at: datetime | None = Field(description="When it ended.", examples=[None])
    ended_by: str | None = Field(description="Who withdrew or replaced it.", examples=[None])
    ended_reason: str | None = Field(description="Why it was withdrawn, where that was said.", examples=[None])


class ModerationPage(Page[ModerationOut]):
    """A page of moderations."""


class ModerationListParams(ListParams):
    """Where to go on in the list of an academy's moderations."""
