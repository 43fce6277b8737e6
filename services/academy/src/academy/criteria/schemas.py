"""Criteria sets as clients write and read them."""

from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.academies.schemas import Phase
from academy.criteria.documents import (
    Colour,
    Criteria,
    OverallIn,
    Period,
    RulesDocument,
    Scale,
    Title,
    best_first,
)
from academy.criteria.rules import ComparisonKind, Direction, OverallMethod
from academy.criteria.tables import CriteriaSet
from academy.criteria.transitions import CRITERIA_SETS
from academy.observations.rules import Layer
from kit.identity.callers import Caller
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch
from kit.resources.transitions import ActionOut


class CriteriaSetState(StrEnum):
    """Where a set is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class CriteriaSetCreate(RulesDocument):
    """A draft."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "title": "Secondary criteria 2026/27",
                    "phase": "secondary",
                    "criteria": [
                        {
                            "code": "progress_8",
                            "title": "Progress 8",
                            "measure": "ks4.progress_8",
                            "direction": "higher_is_better",
                            "bounds": {"green": 0, "amber": -0.5},
                        }
                    ],
                }
            ]
        },
    )

    phase: Phase = Field(description="Academies of this phase are rated by it.", examples=["secondary"])
    title: Title = Field(description="Its name.", examples=["Secondary criteria 2026/27"])


class CriteriaSetPatch(MergePatch):
    """A change of a draft: what is left out stays, a list that is given replaces the old one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Secondary criteria 2026/27"}]})

    title: Title = Field(default="", description="Its name.", examples=["Secondary criteria 2026/27"])
    scale: Scale | None = Field(default=None, description="The trust's own steps; null for green, amber, red.")
    overall: OverallIn = Field(default_factory=OverallIn, description="How the criteria become one status.")
    criteria: Criteria = Field(default_factory=list)

    def applied_to(self, rules: RulesDocument) -> RulesDocument:
        """The rules after the patch: members of `overall` one by one, lists as a whole (RFC 7396)."""
        given = {name: value for name, value in self.changes().items() if name != "title"}
        if "overall" in given:
            changed = {name: getattr(self.overall, name) for name in self.overall.model_fields_set}
            given["overall"] = rules.overall.model_copy(update=changed)
        return rules.model_copy(update=given)


class ScaleStepOut(BaseModel):
    """One step of the scale."""

    code: str = Field(description="Names the step in bounds.", examples=["green"])
    label: str = Field(description="The word that people see.", examples=["Green"])
    status: Colour = Field(description="The canonical status that it maps to.", examples=["green"])


class CriterionOut(BaseModel):
    """One criterion for every academy of the phase."""

    code: str = Field(description="Names the criterion inside the set.", examples=["progress_8"])
    title: str = Field(description="The question, for people.", examples=["Progress 8"])
    measure: str = Field(description="Code of the measures catalogue.", examples=["ks4.progress_8"])
    direction: Direction = Field(description="Which way is good.", examples=["higher_is_better"])
    bounds: dict[str, float] = Field(
        description="The least good figure for each step but the last, best first.",
        examples=[{"green": 0, "amber": -0.5}],
    )
    comparison: ComparisonKind = Field(description="What the figure is compared with.", examples=["fixed"])
    layer: Layer = Field(description="Whose figures.", examples=["national"])
    pupil_group: str = Field(description="Which pupils.", examples=["all"])
    period: Period = Field(description="Which part of the year.", examples=["year"])
    academic_year: str | None = Field(description="Only this year; null for the latest.", examples=[None])
    max_age_years: int = Field(description="How many academic years behind the newest.", examples=[1])
    needs_significance: bool = Field(description="Does the confidence interval decide too?", examples=[True])
    smallest_cohort: int | None = Field(description="Fewer pupils give no colour.", examples=[11])
    weight: int = Field(description="How much it counts.", examples=[3])
    is_limiting: bool = Field(description="Red here caps the whole.", examples=[False])
    reason: str = Field(description="Why these bounds, with the source.", examples=["0 is the average progress."])


class OverallOut(BaseModel):
    """How the criteria become one status."""

    method: OverallMethod = Field(description="How they add up.", examples=["weighted_points"])
    point_cuts: list[float] = Field(description="Percent of the points for each step but the last.")
    least_assessed_percent: int = Field(description="How much of the weight must have a colour.", examples=[50])
    limit: Colour = Field(description="The best status that a limiting criterion in red allows.", examples=["red"])


class CriteriaSetOut(Tagged):
    """One criteria set."""

    id: UUID = Field(description="Id of the set.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    phase: Phase = Field(description="Academies of this phase are rated by it.", examples=["secondary"])
    title: str = Field(description="Its name.", examples=["Secondary criteria 2026/27"])
    version: int = Field(description="Its number among the trust's sets of the phase.", examples=[2])
    state: CriteriaSetState = Field(description="Draft, published or retired.", examples=["published"])
    scale: list[ScaleStepOut] = Field(description="The steps, best first.")
    overall: OverallOut = Field(description="How the criteria become one status.")
    criteria: list[CriterionOut] = Field(description="The questions, in their order.")
    created_at: datetime = Field(description="When it was drafted.", examples=["2026-11-22T08:00:00Z"])
    published_at: datetime | None = Field(description="When it was published.", examples=["2026-11-22T09:00:00Z"])
    retired_at: datetime | None = Field(description="When it was replaced.", examples=[None])
    actions: list[ActionOut] = Field(description="What you may do with it now.")

    @classmethod
    def of(cls, found: CriteriaSet, caller: Caller) -> Self:
        """A set as this caller sees it."""
        fields = found.model_dump(include={"id", "phase", "title", "state", "created_at", "published_at", "retired_at"})
        fields |= {**found.rules.model_dump(), "scale": [asdict(step) for step in found.rules.steps]}
        for criterion in fields["criteria"]:
            criterion["bounds"] = best_first(criterion["bounds"], found.rules.steps)
        return cls(**fields, version=found.number, actions=CRITERIA_SETS.actions(found, caller)).tagged(found.tag)


class CriteriaSetPage(Page[CriteriaSetOut]):
    """A page of criteria sets."""


class CriteriaSetListParams(ListParams):
    """Filters of the list of criteria sets."""

    phase: Annotated[tuple[Phase, ...], Field(max_length=7, description="Of these phases.")] = ()
    state: Annotated[tuple[CriteriaSetState, ...], Field(max_length=3, description="With one of these states.")] = ()
