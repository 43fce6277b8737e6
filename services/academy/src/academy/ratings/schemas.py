"""Ratings as clients read them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.criteria.rules import ComparisonKind, Direction, Status
from academy.criteria.schemas import OverallOut
from academy.criteria.tables import CriteriaSet
from academy.moderations.schemas import ModerationOut, StepOut
from academy.observations.rules import Layer
from academy.parameters import Instant
from academy.ratings.computing import NOT_ASSESSED_LABEL
from academy.ratings.tables import Rating
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from sector.parameters import Urn

SENTENCE = (
    "Attainment 8 was 46.4 points in 2024/25, 0.6 points above the England state-funded figure of 45.8 points: "
    "at or above the green bound (level with England), so green."
)


class CountsOut(BaseModel):
    """How many criteria have each status."""

    red: int = Field(description="Criteria in red.", examples=[1])
    amber: int = Field(description="Criteria in amber.", examples=[2])
    green: int = Field(description="Criteria in green.", examples=[2])
    not_assessed: int = Field(description="Criteria without a colour; each says why.", examples=[0])


class CriteriaSetNameOut(BaseModel):
    """The criteria set that decided."""

    id: UUID = Field(description="Id of the set.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    title: str = Field(description="Its name.", examples=["Demonstration criteria, secondary"])
    version: int = Field(description="Its number among the trust's sets of the phase.", examples=[1])


class CriterionIntervalOut(BaseModel):
    """A published confidence interval."""

    lower: float = Field(description="Lower end.", examples=[-0.1])
    upper: float = Field(description="Upper end.", examples=[0.44])


class CriterionComparisonOut(BaseModel):
    """What the figure was compared with."""

    kind: ComparisonKind = Field(description="Nothing, England, or its own year before.", examples=["national"])
    value: float | None = Field(description="That figure; null for fixed, or when there was none.", examples=[45.8])
    period: str | None = Field(description="Its academic year, with the term.", examples=["2024/25"])


class BoundsOut(BaseModel):
    """The least good figure for each colour. With a comparison: differences from it."""

    green: float | None = Field(description="For green; null when the scale has no green step.", examples=[0])
    amber: float | None = Field(description="For amber; null when the scale has no amber step.", examples=[-5])


class CriterionResultOut(BaseModel):
    """The result of one criterion: the figure, what it was compared with, and the bound that decided."""

    code: str = Field(description="Names the criterion inside the set.", examples=["attainment_8"])
    title: str = Field(description="The question.", examples=["Attainment 8 against England"])
    measure: str = Field(description="Code of the measures catalogue.", examples=["ks4.attainment_8"])
    layer: Layer = Field(description="Whose figures.", examples=["national"])
    pupil_group: str = Field(description="Which pupils.", examples=["all"])
    period: str | None = Field(description="Academic year, with the term if not all of it.", examples=["2024/25"])
    value: float | None = Field(description="The figure; null when there is none.", examples=[46.4])
    reason: str | None = Field(description="Why there is no colour; null when there is one.", examples=[None])
    unit: str = Field(description="What the number counts.", examples=["points"])
    cohort: int | None = Field(description="Pupils behind the figure; null when not published.", examples=[189])
    interval: CriterionIntervalOut | None = Field(description="Confidence interval; null when not published.")
    release: str | None = Field(description="Provisional, revised or final.", examples=["final"])
    comparison: CriterionComparisonOut = Field(description="What the figure was compared with.")
    bounds: BoundsOut = Field(description="The least good figure for each step.")
    direction: Direction = Field(description="Which way is good.", examples=["higher_is_better"])
    weight: int = Field(description="How much it counts.", examples=[2])
    is_limiting: bool = Field(description="Does red here cap the whole?", examples=[False])
    status: Status = Field(description="The canonical status.", examples=["green"])
    step: StepOut | None = Field(description="The step of the trust's own scale; null when not assessed.")
    decided_by: str | None = Field(
        description="The step whose bound was reached, `below_all`, or `not_significant`; null without a colour.",
        examples=["green"],
    )
    deciding_bound: float | None = Field(
        description="The bound that decided, also on a scale with more than one amber or green step: the one reached, "
        "for `below_all` the last, for `not_significant` the green one. With a comparison a difference from it. Null "
        "without a colour.",
        examples=[0],
    )
    sentence: str = Field(description="All of it in one plain sentence.", examples=[SENTENCE])
    observation_id: UUID | None = Field(description="The figure.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    source: str | None = Field(description="Where the figure is from.", examples=["DfE School Profiles"])


class OverallResultOut(OverallOut):
    """How the criteria became one status."""

    assessed_percent: float = Field(description="Share of the weight that had a colour.", examples=[100])
    points_percent: float | None = Field(
        description="Share of the weighted points; null when they weren't counted.", examples=[70]
    )
    limited_by: list[str] = Field(description="Limiting criteria in red that capped the whole.")
    why: str = Field(description="In a sentence.", examples=["70% of the points; green begins at 66%."])


class RatingOut(BaseModel):
    """One computed rating of one academy; it never changes."""

    id: UUID = Field(description="Id of the rating.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn = Field(description="The academy.", examples=[135874])
    phase: Phase = Field(description="Its phase when it was rated.", examples=["secondary"])
    status: Status = Field(description="The computed status.", examples=["green"])
    label: str = Field(description="The trust's own word for it.", examples=["Green"])
    step: StepOut | None = Field(description="The step of the trust's own scale; null when not assessed.")
    counts: CountsOut = Field(description="How many criteria have each status.")
    criteria_set: CriteriaSetNameOut = Field(description="The criteria that decided.")
    overall: OverallResultOut = Field(description="How the criteria became one status, and why.")
    criteria: list[CriterionResultOut] = Field(description="Every criterion, in the order of the set.")
    rated_at: datetime = Field(description="When it was computed.", examples=["2026-11-22T08:00:00Z"])
    data_as_at: datetime | None = Field(
        description="When the newest of its figures was recorded; null when it had none.",
        examples=["2026-11-22T07:00:00Z"],
    )

    @classmethod
    def of(cls, rating: Rating, criteria_set: CriteriaSet) -> "RatingOut":
        """A rating with the set that decided."""
        same = ("id", "urn", "phase", "status", "step", "counts", "rated_at", "data_as_at")
        how = rating.model_dump(include={"assessed_percent", "points_percent", "limited_by", "why"})
        return RatingOut(
            **{name: getattr(rating, name) for name in same},
            label=rating.step["label"] if rating.step else NOT_ASSESSED_LABEL,
            criteria_set=CriteriaSetNameOut(id=criteria_set.id, title=criteria_set.title, version=criteria_set.number),
            overall=OverallResultOut(**criteria_set.rules.overall.model_dump(), **how),
            # Ratings never alter: one that was kept before this field was there has no value for it.
            criteria=[CriterionResultOut.model_validate({"deciding_bound": None, **one}) for one in rating.criteria],
        )


class RatingDetailOut(RatingOut, Tagged):
    """One rating, with the override that is in force."""

    is_current: bool = Field(description="Is it the current rating?", examples=[True])
    moderation: ModerationOut | None = Field(description="A person's override that is in force; null when none is.")


class RatingPage(Page[RatingOut]):
    """A page of ratings."""


class RatingListParams(ListParams):
    """Filters of an academy's ratings."""

    as_of: Annotated[
        Instant | None,
        Field(description="As it was published at this instant. An instant in the future is rejected."),
    ] = None
