"""Figures as clients see them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from academy import codes
from academy.measures.rules import MEASURES, PERIODS, PUPIL_GROUPS, Unit, suggest_measure
from academy.observations.rules import Layer, ProgressBand, Release
from academy.parameters import Code, Instant
from kit.resources.pages import ListParams, Page
from sector.parameters import AcademicYear, TrustName, Urn


class ComparisonArea(StrEnum):
    """What a comparison figure is about."""

    NATIONAL = "national"
    LA = "la"


class IntervalOut(BaseModel):
    """A 95% confidence interval."""

    lower: float | None = Field(description="Lower end.", examples=[-0.21])
    upper: float | None = Field(description="Upper end.", examples=[0.17])


class ComparisonOut(BaseModel):
    """The same figure of England (state-funded schools where it is published so) or of the local authority."""

    kind: ComparisonArea = Field(description="England or the local authority.", examples=["national"])
    area_code: str = Field(description="Code of the area.", examples=["E92000001"])
    sector: str = Field(description="Which schools it counts.", examples=["state_funded"])
    phase: str = Field(description="Schools of which phase it counts.", examples=["all"])
    value: float | None = Field(description="The figure; null when there is a reason.", examples=[46.5])
    reason: str | None = Field(description="Why there is no figure.", examples=[None])
    release: Release = Field(description="How settled it is.", examples=["final"])
    source: str = Field(description="Where it is from.", examples=["DfE key stage 4 performance tables"])


class ObservationOut(BaseModel):
    """One figure: a value or the reason why there is none, never both."""

    id: UUID = Field(
        description="Id of the figure as it was published.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"]
    )
    urn: Urn = Field(description="The academy.", examples=[136105])
    layer: Layer = Field(description="Whose figure it is.", examples=["national"])
    measure: str = Field(description="Code of the measure.", examples=["ks4.progress_8"])
    pupil_group: str = Field(description="Which pupils; `all` for everyone.", examples=["all"])
    academic_year: str = Field(description="The academic year.", examples=["2018/19"])
    period: str = Field(description="The year, a term or another part of it.", examples=["year"])
    value: float | None = Field(description="The figure; null when there is a reason.", examples=[-0.02])
    reason: str | None = Field(
        description="Why there is no figure: suppressed, not_applicable, not_published, low_coverage, ...",
        examples=[None],
    )
    unit: Unit | None = Field(description="What the number counts; null for a measure of an older catalogue.")
    interval: IntervalOut | None = Field(description="The confidence interval where one is published.")
    cohort: int | None = Field(description="How many pupils it is about, where it is published.", examples=[187])
    band: ProgressBand | None = Field(
        description="Progress measures only: the band by the DfE's rule, from score and interval.", examples=["average"]
    )
    published_band: ProgressBand | None = Field(description="The band in the published file.", examples=["average"])
    release: Release = Field(description="How settled it is.", examples=["final"])
    source: str = Field(description="Where it is from.", examples=["DfE key stage 4 performance tables"])
    import_id: UUID = Field(description="The import that loaded it.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    recorded_at: datetime = Field(description="When it was published.", examples=["2026-11-22T08:00:00Z"])
    superseded_at: datetime | None = Field(
        description="When it was replaced; null for the current figure. Only with `history`, or when `is_removed`.",
        examples=[None],
    )
    is_removed: bool = Field(
        description="True only with `updated_since`: the figure is no longer in the list, because it was withdrawn or "
        "because its academy has left the requested trust. Delete your copy of it.",
        examples=[False],
    )
    comparisons: list[ComparisonOut] = Field(description="England and the local authority, where published.")


class ObservationPage(Page[ObservationOut]):
    """A page of figures."""

    synced_to: datetime = Field(
        description="Everything recorded up to this instant is in the list. Send it as `updated_since` next time.",
        examples=["2026-11-22T08:00:00Z"],
    )


def _measure(code: str) -> str:
    if code not in MEASURES:
        close = suggest_measure(code)
        meant = f"; did you mean {close}?" if close else ""
        words = {"code": code, "meant": meant}
        raise PydanticCustomError(codes.Code.UNKNOWN_MEASURE, "There is no measure {code}{meant}", words)
    return code


def _pupil_group(code: str) -> str:
    if code not in PUPIL_GROUPS:
        there_are = {"code": code, "known": ", ".join(PUPIL_GROUPS)}
        raise PydanticCustomError(
            codes.Code.UNKNOWN_PUPIL_GROUP, "There is no group {code}; there are {known}", there_are
        )
    return code


def _period(code: str) -> str:
    if code not in PERIODS:
        there_are = {"code": code, "known": ", ".join(PERIODS)}
        raise PydanticCustomError(codes.Code.UNKNOWN_PERIOD, "There is no period {code}; there are {known}", there_are)
    return code


# An empty list for a code that is only misspelt would read like "no figures".
MeasureCode = Annotated[Code, AfterValidator(_measure), Field(examples=["ks4.attainment_8"])]
PupilGroupCode = Annotated[
    Code, AfterValidator(_pupil_group), Field(json_schema_extra={"enum": list(PUPIL_GROUPS)}, examples=["all"])
]
PeriodCode = Annotated[
    Code, AfterValidator(_period), Field(json_schema_extra={"enum": list(PERIODS)}, examples=["year"])
]


class ObservationListParams(ListParams):
    """Filters of the list of figures."""

    urn: Annotated[tuple[Urn, ...], Field(max_length=500, description="Of these academies.")] = ()
    trust: Annotated[
        TrustName | None,
        Field(
            description="Without `urn`: of the academies of this trust (id, Group UID or TR reference), or `any` for "
            "all of England. Your own trust's by default."
        ),
    ] = None
    measure: Annotated[
        tuple[MeasureCode, ...],
        Field(max_length=100, description="Of these measures, by their codes in the catalogue."),
    ] = ()
    academic_year: Annotated[
        tuple[AcademicYear, ...], Field(max_length=50, description="Of these years; 2018/19, 2018-19 or 201819.")
    ] = ()
    pupil_group: Annotated[tuple[PupilGroupCode, ...], Field(max_length=50, description="About these pupils.")] = ()
    period: Annotated[tuple[PeriodCode, ...], Field(max_length=20, description="Of these parts of the year.")] = ()
    layer: Annotated[tuple[Layer, ...], Field(max_length=2, description="Of this layer; both by default.")] = ()
    history: Annotated[
        bool, Field(description="Include superseded figures and earlier releases, oldest first within a figure.")
    ] = False
    as_of: Annotated[
        Instant | None, Field(description="As it was published at this instant. An instant in the future is rejected.")
    ] = None
    updated_since: Annotated[
        Instant | None,
        Field(
            description="Only what has changed since this instant: figures, what they are compared with, academies "
            "that joined or left. Send the `synced_to` of your last request."
        ),
    ] = None
