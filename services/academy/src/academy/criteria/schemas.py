"""Criteria sets as clients write and read them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.academies.schemas import Phase
from academy.criteria.rules import ComparisonKind, Direction, OverallMethod
from academy.observations.rules import Layer
from academy.parameters import Code
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch
from sector.parameters import AcademicYear

Title = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$", examples=["Progress 8"])
]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
StepCode = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$", examples=["amber"])]
Bound = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class CriteriaSetState(StrEnum):
    """Where a set is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Colour(StrEnum):
    """A status that a step can stand for."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"


class Period(StrEnum):
    """Which part of an academic year a figure is about."""

    YEAR = "year"
    AUTUMN = "autumn"
    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN_SPRING = "autumn_spring"
    YEAR_TO_DATE = "year_to_date"


class ScaleStep(BaseModel):
    """One step of a scale: the trust's own word, and what it stands for."""

    model_config = ConfigDict(extra="forbid")

    code: StepCode = Field(description="Names the step in bounds.", examples=["amber_green"])
    label: Title = Field(description="The word that people see.", examples=["Amber-green"])
    status: Colour = Field(description="The canonical status that it stands for.", examples=["amber"])


class CriterionIn(BaseModel):
    """One question asked of every academy of the phase."""

    model_config = ConfigDict(extra="forbid")

    code: Code = Field(description="Names the criterion inside the set.", examples=["progress_8"])
    title: Title = Field(description="What is asked, for people.", examples=["Progress 8"])
    measure: Code = Field(description="Code of the measures catalogue.", examples=["ks4.progress_8"])
    direction: Direction = Field(description="Which way is good.", examples=["higher_is_better"])
    bounds: dict[StepCode, Bound] = Field(
        max_length=10,
        description="The least good figure that still earns each step of the scale but the last: `green` and `amber` "
        "on the usual scale. With a comparison, differences from it in the measure's unit.",
        examples=[{"green": 0, "amber": -0.5}],
    )
    comparison: ComparisonKind = Field(
        default=ComparisonKind.FIXED,
        description="What the figure is held against: nothing but the bounds, England (state-funded), or its own "
        "year before. The others are refused until they are computed.",
        examples=["national"],
    )
    layer: Layer = Field(default=Layer.NATIONAL, description="Whose figures.", examples=["national"])
    pupil_group: Code = Field(default="all", description="Which pupils.", examples=["all"])
    period: Period = Field(default=Period.YEAR, description="Which part of the year.", examples=["year"])
    academic_year: AcademicYear | None = Field(
        default=None, description="Only this year; null for the latest.", examples=[None]
    )
    max_age_years: int = Field(
        default=1,
        ge=0,
        le=10,
        description="How many academic years a figure may be behind the newest that is loaded for the measure.",
        examples=[1],
    )
    needs_significance: bool = Field(
        default=False,
        description="Where an interval is published and reaches over the green bound, the figure counts as amber.",
        examples=[True],
    )
    smallest_cohort: int | None = Field(
        default=None, ge=1, le=100_000, description="Fewer pupils give no colour; null for no limit.", examples=[11]
    )
    weight: int = Field(default=1, ge=1, le=100, description="How much it counts.", examples=[3])
    is_limiting: bool = Field(default=False, description="Red here caps the whole.", examples=[False])
    reason: Words = Field(
        default="", description="Why these bounds, with the source.", examples=["0 is the average progress."]
    )


class OverallIn(BaseModel):
    """How the criteria become one status."""

    model_config = ConfigDict(extra="forbid")

    method: OverallMethod = Field(
        default=OverallMethod.WEIGHTED_POINTS,
        description="Share of weighted points, or the worst of all.",
        examples=["weighted_points"],
    )
    point_cuts: list[Percent] = Field(
        default=[66.0, 33.0],
        max_length=9,
        description="Percent of the points that each step but the last needs, best first.",
        examples=[[66, 33]],
    )
    least_assessed_percent: int = Field(
        default=50,
        ge=1,
        le=100,
        description="How much of the weight must have a colour, else the academy is not assessed.",
        examples=[50],
    )
    limit: Colour = Field(
        default=Colour.RED,
        description="The best status that a limiting criterion in red still allows.",
        examples=["red"],
    )


Scale = Annotated[
    list[ScaleStep],
    Field(min_length=2, max_length=10, description="The trust's own steps, best first."),
]
Criteria = Annotated[list[CriterionIn], Field(max_length=50, description="The questions, in the order told.")]


class CriteriaSetCreate(BaseModel):
    """A draft."""

    model_config = ConfigDict(extra="forbid")

    phase: Phase = Field(description="Academies of this phase are rated by it.", examples=["secondary"])
    title: Title = Field(description="Its name.", examples=["Secondary criteria 2026/27"])
    scale: Scale | None = Field(
        default=None, description="The trust's own steps, best first; null for green, amber, red."
    )
    overall: OverallIn = Field(default_factory=OverallIn, description="How the criteria become one status.")
    criteria: Criteria


class CriteriaSetPatch(MergePatch):
    """A change of a draft: what is left out stays, a list that is given replaces the old one."""

    title: Title = Field(default="", description="Its name.", examples=["Secondary criteria 2026/27"])
    scale: Scale | None = Field(default=None, description="The trust's own steps; null for green, amber, red.")
    overall: OverallIn = Field(default_factory=OverallIn, description="How the criteria become one status.")
    criteria: Criteria = Field(default_factory=list)


class ScaleStepOut(BaseModel):
    """One step of the scale."""

    code: str = Field(description="Names the step in bounds.", examples=["green"])
    label: str = Field(description="The word that people see.", examples=["Green"])
    status: Colour = Field(description="The canonical status that it stands for.", examples=["green"])


class CriterionOut(BaseModel):
    """One question asked of every academy of the phase."""

    code: str = Field(description="Names the criterion inside the set.", examples=["progress_8"])
    title: str = Field(description="What is asked, for people.", examples=["Progress 8"])
    measure: str = Field(description="Code of the measures catalogue.", examples=["ks4.progress_8"])
    direction: Direction = Field(description="Which way is good.", examples=["higher_is_better"])
    bounds: dict[str, float] = Field(
        description="The least good figure that still earns each step but the last.",
        examples=[{"green": 0, "amber": -0.5}],
    )
    comparison: ComparisonKind = Field(description="What the figure is held against.", examples=["fixed"])
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


class CriteriaSetOut(BaseModel):
    """One criteria set."""

    id: UUID = Field(description="Id of the set.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    phase: Phase = Field(description="Academies of this phase are rated by it.", examples=["secondary"])
    title: str = Field(description="Its name.", examples=["Secondary criteria 2026/27"])
    version: int = Field(description="Its number among the trust's sets of the phase.", examples=[2])
    state: CriteriaSetState = Field(description="Draft, published or retired.", examples=["published"])
    scale: list[ScaleStepOut] = Field(description="The steps, best first.")
    overall: OverallOut = Field(description="How the criteria become one status.")
    criteria: list[CriterionOut] = Field(description="The questions, in the order told.")
    created_at: datetime = Field(description="When it was drafted.", examples=["2026-11-22T08:00:00Z"])
    published_at: datetime | None = Field(description="When it was published.", examples=["2026-11-22T09:00:00Z"])
    retired_at: datetime | None = Field(description="When another took its place.", examples=[None])


class CriteriaSetPage(Page[CriteriaSetOut]):
    """A page of criteria sets."""


class CriteriaSetListParams(ListParams):
    """Filters of the list of criteria sets."""

    phase: Annotated[tuple[Phase, ...], Field(max_length=7, description="Of these phases.")] = ()
    state: Annotated[tuple[CriteriaSetState, ...], Field(max_length=3, description="With one of these states.")] = ()


class CriteriaSetChanged(BaseModel):
    """What happened to a criteria set: what the event tells."""

    criteria_set_id: UUID = Field(description="The set.")
    phase: Phase = Field(description="Its phase.")
    title: str = Field(description="Its name.")
    version: int = Field(description="Its number among the trust's sets of the phase.")
    before: CriteriaSetState | Literal["absent"] = Field(description="Where it was in its life.")
    after: CriteriaSetState | Literal["absent"] = Field(description="Where it is now.")
