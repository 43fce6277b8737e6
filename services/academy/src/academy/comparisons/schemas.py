"""Series as clients see them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.measures.rules import MeasureDirection, Unit
from academy.observations.rules import Layer, Release
from academy.observations.schemas import MeasureCode, PeriodCode, PupilGroupCode
from kit.resources.pages import ListParams, Page
from sector.parameters import AcademicYear, Urn
from sector.regions import REGIONS


class Area(StrEnum):
    """An area whose figures academies are compared with."""

    ENGLAND = "england"
    REGION = "region"
    AUTHORITY = "authority"


class SeriesKind(StrEnum):
    """What a series is about."""

    ENGLAND = "england"
    REGION = "region"
    AUTHORITY = "authority"
    ACADEMY = "academy"


class ComparisonPointOut(BaseModel):
    """One academic year of a series: a value or the reason why there is none, never both."""

    academic_year: str = Field(description="The academic year.", examples=["2018/19"])
    value: float | None = Field(description="The figure; null when there is a reason.", examples=[46.7])
    reason: str | None = Field(
        description="Why there is no figure: suppressed, not_published, ...; null with a value.", examples=[None]
    )
    release: Release = Field(description="How settled it is.", examples=["final"])
    source: str = Field(description="Where it is from.", examples=["DfE key stage 4 performance tables"])
    phase: str | None = Field(
        description="Areas: schools of which phase the figure counts; null for academies.", examples=["all"]
    )
    sector: str | None = Field(
        description="Areas: which schools the figure counts; null for academies.", examples=["state_funded"]
    )
    cohort: int | None = Field(description="Academies: how many pupils it is about, where published.", examples=[187])
    percentile: float | None = Field(
        description="Academies, published figures only: the percentage of England's state-funded schools of its phase "
        "that have a lower figure in this year, those with the same figure counted by half. Null without a value and "
        "among fewer than 20 schools. `direction` says whether a high one is good.",
        examples=[61.3],
    )
    schools: int | None = Field(
        description="Among how many schools the percentile is; null without a percentile.", examples=[3196]
    )


class ComparisonSeriesOut(BaseModel):
    """One line of a chart: a measure by academic year, of an area or of an academy."""

    kind: SeriesKind = Field(description="What it is about.", examples=["england"])
    code: str = Field(
        description="Code of the area, or the academy's URN: E92000001, E12000002, 352, 136105.", examples=["E92000001"]
    )
    name: str | None = Field(description="Its name, where it is known.", examples=["England"])
    phase: Phase | None = Field(
        description="Academies: their phase, among whose schools they are placed; null for areas.", examples=[None]
    )
    layer: Layer = Field(description="Whose figures these are.", examples=["national"])
    measure: str = Field(description="Code of the measure.", examples=["ks4.attainment_8"])
    unit: Unit = Field(description="What the numbers count.", examples=["points"])
    direction: MeasureDirection = Field(description="Which way is better.", examples=["higher_is_better"])
    pupil_group: str = Field(description="Which pupils; `all` for everyone.", examples=["all"])
    period: str = Field(description="The year, a term or another part of it.", examples=["year"])
    points: list[ComparisonPointOut] = Field(
        description="By academic year, the oldest first. Years without a row are absent."
    )


class ComparisonSeriesPage(Page[ComparisonSeriesOut]):
    """A page of series: areas first (England, region, authority), then the named academy, then others by name."""


class ComparisonListParams(ListParams):
    """What a chart shows."""

    measure: Annotated[MeasureCode, Field(description="The measure, by its code in the catalogue.")]
    area: Annotated[
        tuple[Area, ...],
        Field(
            max_length=3,
            description="Of these areas; by default of all three, as far as `urn`, `region` and `la` say which.",
        ),
    ] = ()
    urn: Annotated[
        Urn | None, Field(description="An academy: its own line, with its region, its authority and its phase.")
    ] = None
    region: Annotated[
        str | None,
        Field(
            pattern=r"^E12\d{6}$",
            description="Code of a region; by default the academy's.",
            examples=["E12000002"],
            json_schema_extra={"enum": list(REGIONS)},
        ),
    ] = None
    la: Annotated[
        str | None,
        Field(pattern=r"^\d{3}$", description="Code of an authority; by default the academy's.", examples=["352"]),
    ] = None
    phase: Annotated[
        Phase | None,
        Field(
            description="Areas: figures of schools of this phase where they are published, else of all; by default of "
            "the academy's phase."
        ),
    ] = None
    others: Annotated[
        bool,
        Field(
            description="Add a line for each other academy of the academy's trust (without `urn`: of your own trust) "
            "that has the measure."
        ),
    ] = False
    layer: Annotated[
        Layer,
        Field(
            description="Academies: published figures, or your trust's own, of academies that your grant covers. Own "
            "figures have no percentile."
        ),
    ] = Layer.NATIONAL
    academic_year: Annotated[
        tuple[AcademicYear, ...], Field(max_length=50, description="Of these years; of all by default.")
    ] = ()
    pupil_group: Annotated[PupilGroupCode, Field(description="About these pupils.")] = "all"
    period: Annotated[PeriodCode, Field(description="Of this part of the year.")] = "year"
