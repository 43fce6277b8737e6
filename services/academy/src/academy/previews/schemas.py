"""What would change, as clients read it."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.criteria.rules import Status
from academy.moderations.schemas import StepOut
from sector.parameters import Urn


class PreviewStatusOut(BaseModel):
    """A computed status."""

    status: Status = Field(description="The canonical status.", examples=["green"])
    label: str = Field(description="The trust's own word for it.", examples=["Green"])
    step: StepOut | None = Field(description="The step of the set's own scale; null when not assessed.")
    why: str = Field(description="How the criteria become it.", examples=["70% of the weighted points were earned."])


class PreviewResultOut(BaseModel):
    """One criterion's result."""

    status: Status = Field(description="The canonical status.", examples=["green"])
    step: StepOut | None = Field(description="The step of the set's own scale; null when not assessed.")
    sentence: str = Field(description="Why, in one plain sentence.", examples=["Progress 8 was +0.17 in 2018/19: ..."])


class PreviewCriterionOut(BaseModel):
    """One criterion, now and as it would be."""

    code: str = Field(description="Names the criterion inside its set.", examples=["progress_8"])
    title: str = Field(description="What is asked.", examples=["Progress 8"])
    before: PreviewResultOut | None = Field(description="As it is told now; null for a criterion that is new.")
    after: PreviewResultOut | None = Field(description="As it would be; null for a criterion that would go.")


class PreviewAcademyOut(BaseModel):
    """One academy that would change colour, or move to another step of the same status."""

    urn: Urn = Field(description="The academy.", examples=[135874])
    name: str = Field(description="Its name.", examples=["Manchester Enterprise Academy"])
    phase: Phase = Field(description="Its phase.", examples=["secondary"])
    rating_id: UUID | None = Field(description="The rating that is told now; null when there is none.")
    before: PreviewStatusOut | None = Field(description="What is computed now; null when nothing is.")
    after: PreviewStatusOut = Field(description="What would be computed.")
    criteria: list[PreviewCriterionOut] = Field(description="Every criterion of both, those of the new set first.")


class PreviewOut(BaseModel):
    """Which academies would change colour, and why. Nothing was written."""

    academies: int = Field(description="Academies that the set would rate.", examples=[4])
    unchanged: int = Field(description="Those of them that would keep their status and step.", examples=[3])
    items: list[PreviewAcademyOut] = Field(description="Those that would change, by name.")
