"""What an import changed, as clients see it."""

from decimal import Decimal
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from academy.observations.rules import Release
from academy.observations.tables import Observation
from kit.resources.pages import ListParams, Page
from sector.parameters import Urn


class FigureChange(StrEnum):
    """What became of a figure."""

    NEW = "new"
    CHANGED = "changed"


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


class FigureValueOut(BaseModel):
    """A figure's value with its details, or the reason why there is none."""

    value: float | None = Field(description="The figure; null when there is a reason.", examples=[94.1])
    reason: str | None = Field(description="Why there is no figure; null when there is one.", examples=[None])
    lower: float | None = Field(description="Lower limit of the 95% interval; null when unknown.", examples=[None])
    upper: float | None = Field(description="Upper limit of the 95% interval; null when unknown.", examples=[None])
    cohort: int | None = Field(description="Number of pupils behind the figure; null when unknown.", examples=[180])
    published_band: str | None = Field(description="The published band; null without one.", examples=[None])

    @classmethod
    def of(cls, figure: Observation) -> Self:
        """The value of a stored figure."""
        return cls(
            value=_float(figure.value),
            reason=figure.reason,
            lower=_float(figure.lower),
            upper=_float(figure.upper),
            cohort=figure.cohort,
            published_band=figure.published_band,
        )


class ImportChangeOut(BaseModel):
    """One figure that an import brought."""

    observation_id: UUID = Field(
        description="Id of the figure that it brought.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"]
    )
    change: FigureChange = Field(description="Whether it is new or took the place of another.", examples=["changed"])
    urn: Urn = Field(description="The academy.", examples=[139148])
    measure: str = Field(description="Code of the measure.", examples=["attendance.overall_percent"])
    pupil_group: str = Field(description="Which pupils; `all` for everyone.", examples=["all"])
    academic_year: str = Field(description="The academic year.", examples=["2025/26"])
    period: str = Field(description="The year, a term or another part of it.", examples=["year"])
    release: Release = Field(description="How settled it is.", examples=["final"])
    before: FigureValueOut | None = Field(description="What stood before; null for a new figure.")
    after: FigureValueOut = Field(description="What the import brought.")
    is_current: bool = Field(
        description="Whether it still stands; false once a later import replaced it or this one was taken back.",
        examples=[True],
    )

    @classmethod
    def of(cls, brought: Observation, before: Observation | None) -> Self:
        """A figure of an import beside the one that it replaced."""
        return cls(
            observation_id=brought.id,
            change=FigureChange.NEW if before is None else FigureChange.CHANGED,
            urn=brought.urn,
            measure=brought.measure,
            pupil_group=brought.pupil_group,
            academic_year=brought.academic_year,
            period=brought.period,
            release=Release(brought.release),
            before=None if before is None else FigureValueOut.of(before),
            after=FigureValueOut.of(brought),
            is_current=brought.superseded_at is None,
        )


class ImportChangePage(Page[ImportChangeOut]):
    """A page of changes."""


class ImportChangeListParams(ListParams):
    """Which page."""
