"""Measures as clients see them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from academy.academies.schemas import Phase
from academy.measures.rules import Measure, MeasureDirection, Unit
from academy.parameters import SearchText
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page


class NotPublishedOut(BaseModel):
    """An academic year for which no school has a figure, and why."""

    academic_year: str = Field(description="The year.", examples=["2024/25"])
    why: str = Field(description="One sentence for people.", examples=["No Progress 8: these pupils took no tests."])


class MeasureOut(Tagged):
    """What a figure means."""

    code: str = Field(description="Dotted code.", examples=["ks4.progress_8"])
    title: str = Field(description="Its name.", examples=["Progress 8"])
    meaning: str = Field(description="What it counts, for people.", examples=["Progress from key stage 2 to 4."])
    unit: Unit = Field(description="What its number counts.", examples=["points"])
    direction: MeasureDirection = Field(description="Which way is better.", examples=["higher_is_better"])
    phases: list[Phase] = Field(description="Phases that have it.", examples=[["secondary"]])
    decimals: int = Field(description="Decimals that its source publishes.", examples=[2])
    minimum: float = Field(description="The least that a figure can be.", examples=[-15.0])
    maximum: float = Field(description="The most that a figure can be.", examples=[15.0])
    has_interval: bool = Field(description="Is a confidence interval published with it?", examples=[True])
    source: str = Field(description="Who publishes it.", examples=["DfE key stage 4 performance tables"])
    not_published: list[NotPublishedOut] = Field(description="Years without figures of any school.")

    @classmethod
    def of(cls, measure: Measure) -> Self:
        """A measure of the catalogue."""
        missing = [NotPublishedOut(academic_year=year, why=why) for year, why in measure.not_published.items()]
        fields = {name: getattr(measure, name) for name in cls.model_fields}
        return cls(**{**fields, "not_published": missing}).tagged_by_content()


class MeasurePage(Page[MeasureOut]):
    """A page of measures."""


class MeasureListParams(ListParams):
    """Filters of the catalogue."""

    model_config = ConfigDict(extra="forbid")

    phase: Annotated[tuple[Phase, ...], Field(max_length=7, description="That these phases have.")] = ()
    q: Annotated[SearchText | None, Field(description="Part of the code or the title.")] = None
