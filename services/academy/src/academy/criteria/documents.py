"""A criteria set's rules as a document: as clients send it and as it is stored, read once, and turned into values."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypedDict

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from academy.criteria.rules import (
    DEFAULT_SCALE,
    ComparisonKind,
    Criterion,
    Direction,
    Overall,
    OverallMethod,
    Rules,
    Status,
    Step,
    step_meant,
)
from academy.observations.rules import Layer
from academy.parameters import Code
from sector.parameters import AcademicYear

Title = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$", examples=["Progress 8"])
]
Words = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
StepCode = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$", examples=["amber"])]
Bound = Annotated[float, Field(ge=-1_000_000, le=1_000_000, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


def _decimal(number: float) -> Decimal:
    """The number that was written: 0.1 is a tenth, whatever a float makes of it."""
    return Decimal(str(number))


class Colour(StrEnum):
    """A status that a step can map to."""

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
    """One step of a scale: the trust's own word, and the status that it maps to."""

    model_config = ConfigDict(extra="forbid")

    code: StepCode = Field(description="Names the step in bounds.", examples=["amber_green"])
    label: Title = Field(description="The word that people see.", examples=["Amber-green"])
    status: Colour = Field(description="The canonical status that it maps to.", examples=["amber"])


class CriterionIn(BaseModel):
    """One criterion for every academy of the phase."""

    model_config = ConfigDict(extra="forbid")

    code: Code = Field(description="Names the criterion inside the set.", examples=["progress_8"])
    title: Title = Field(description="The question, for people.", examples=["Progress 8"])
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

    def values(self, scale: Sequence[Step]) -> Criterion:
        """The criterion as values to decide with; its cuts are in the order of the scale."""
        return Criterion(
            cuts=tuple(_decimal(self.bounds[step.code]) for step in scale if step.code in self.bounds),
            layer=self.layer.value,
            term=self.period.value,
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
        )


_AS_THEY_ARE = (
    *("code", "title", "measure", "direction", "pupil_group", "max_age_years", "academic_year", "comparison"),
    *("needs_significance", "smallest_cohort", "weight", "is_limiting", "reason"),
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

    def values(self) -> Overall:
        """The same as values to decide with."""
        return Overall(
            method=self.method,
            point_cuts=tuple(_decimal(cut) for cut in self.point_cuts),
            least_assessed_percent=self.least_assessed_percent,
            limit=Status(self.limit.value),
        )


Scale = Annotated[
    list[ScaleStep],
    Field(min_length=2, max_length=10, description="The trust's own steps, best first."),
]
Criteria = Annotated[list[CriterionIn], Field(max_length=50, description="The questions, in their order.")]


class RulesDocument(BaseModel):
    """The rules of a criteria set, as they are stored."""

    scale: Scale | None = Field(
        default=None, description="The trust's own steps, best first; null for green, amber, red."
    )
    overall: OverallIn = Field(default_factory=OverallIn, description="How the criteria become one status.")
    criteria: Criteria

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the scale, best first; green, amber, red where it names none."""
        return _steps(self.scale)

    def values(self) -> Rules:
        """The rules as values to decide with."""
        scale = self.steps
        criteria = tuple(criterion.values(scale) for criterion in self.criteria)
        return Rules(criteria=criteria, overall=self.overall.values(), scale=scale)

    def without_step(self) -> list[tuple[int, str]]:
        """Bounds for steps that the scale doesn't have: the place of the criterion, and the code."""
        codes = {step.code for step in self.steps}
        return [
            (place, code)
            for place, criterion in enumerate(self.criteria)
            for code in criterion.bounds
            if code not in codes
        ]


_SCALE: TypeAdapter[list[ScaleStep] | None] = TypeAdapter(list[ScaleStep] | None)


def stored_scale(scale: bytes | str) -> tuple[Step, ...]:
    """The steps of a scale as it is stored, best first."""
    return _steps(_SCALE.validate_json(scale, extra="ignore"))


def _steps(scale: Sequence[ScaleStep] | None) -> tuple[Step, ...]:
    return tuple(Step(one.code, one.label, Status(one.status.value)) for one in scale) if scale else DEFAULT_SCALE


def best_first(bounds: Mapping[str, float], scale: Sequence[Step]) -> dict[str, float]:
    """Bounds in the order of the scale: the database keeps the members of a document in an order of its own."""
    known = {step.code: bounds[step.code] for step in scale if step.code in bounds}
    return {**known, **bounds}


class PlacedStep(TypedDict):
    """A step as ratings and overrides keep it: with its place on the scale, the best being 1."""

    code: str
    label: str
    order: int


def placed(step: Step, scale: Sequence[Step]) -> PlacedStep:
    """A step with its place on the scale."""
    return {"code": step.code, "label": step.label, "order": scale.index(step) + 1}


def step_on_scale(given: Mapping[str, Any], status: str, scale: Sequence[Step]) -> Mapping[str, Any]:
    """A step that somebody gave for a status, as it stands on this scale.

    The scale may be another by now: one that lacks the step has another for the status. One that lacks the status too
    leaves the step as it was given.
    """
    step = step_meant(given["code"], Status(status), scale)
    return given if step is None else placed(step, scale)
