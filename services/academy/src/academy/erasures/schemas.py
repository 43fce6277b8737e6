"""Erasures as clients see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.erasures.tables import ObservationErasure
from kit.resources.fields import Words
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from sector.parameters import Urn

_ID = "019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"


class ObservationErasureCreate(BaseModel):
    """Which figure, and why."""

    model_config = ConfigDict(extra="forbid")

    observation_id: UUID = Field(description="The figure: the `id` of any version that has the value.", examples=[_ID])
    reason: Words = Field(
        description="Why. It stays, so it must not say the value, and name no pupil and no member of staff.",
        examples=["Three pupils can be recognised by it."],
    )


class ObservationErasureOut(Tagged):
    """That a figure was erased: the tombstone of its value."""

    id: UUID = Field(description="Id of the erasure.", examples=[_ID])
    observation_id: UUID = Field(description="The figure that was named.", examples=[_ID])
    urn: Urn = Field(description="The academy.", examples=[136105])
    measure: str = Field(description="Code of the measure.", examples=["phonics.expected_percent"])
    pupil_group: str = Field(description="Which pupils.", examples=["ehc_plan"])
    academic_year: str = Field(description="The academic year.", examples=["2024/25"])
    period: str = Field(description="The year, a term or another part of it.", examples=["year"])
    reason: str = Field(description="Why.", examples=["Three pupils can be recognised by it."])
    erased_at: datetime = Field(description="When.", examples=["2026-11-22T08:00:00Z"])
    erased_by: str = Field(description="Who: a subject of identity.", examples=["person:0193e2f1"])
    erased_as: str = Field(description="In which role.", examples=["data-manager"])
    figures: int = Field(description="From how many versions of the figure the value went.", examples=[2])
    ratings: int = Field(description="From how many ratings it went.", examples=[1])
    events: int = Field(description="From how many events of the feed it went.", examples=[1])
    files: int = Field(description="How many of the trust's files were deleted, since they may hold it.", examples=[1])

    @classmethod
    def of(cls, found: ObservationErasure) -> Self:
        """A stored erasure."""
        return cls(**found.model_dump(exclude={"trust_id"})).tagged_by_content()


class ObservationErasurePage(Page[ObservationErasureOut]):
    """A page of erasures."""


class ObservationErasureListParams(ListParams):
    """Filters of the list of erasures."""

    urn: Annotated[tuple[Urn, ...], Field(max_length=500, description="Of figures of these academies.")] = ()
