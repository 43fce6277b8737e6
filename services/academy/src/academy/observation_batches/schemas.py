"""Batches of figures as clients see them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final, Self
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from academy.imports.applying.at_once import TakenFigure
from academy.imports.schemas import Confirmation, ImportWarningOut
from academy.imports.tables import Import
from academy.observations.rules import Release
from kit.resources.models import Tagged
from sector.parameters import AcademicYear, Urn

MOST_FIGURES: Final = 1000

Code = Annotated[str, Field(max_length=100)]
Cell = Annotated[str, Field(max_length=100)] | float
"""A number, or text as a cell of a file has it."""


MOST_EXACT: Final = 1 << 53


def _plain(cell: str | float) -> str | float:
    """A whole number as it is usually written: a cohort or a band is no 5.0."""
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < MOST_EXACT
    return int(cell) if is_whole else cell


class ObservationCreate(BaseModel):
    """A figure, or the reason why there is none. Each member means what the column of this name means in a file."""

    model_config = ConfigDict(extra="forbid")

    urn: Urn = Field(description="The academy.", examples=[136105])
    measure: Code = Field(description="Code of the measure, as in `GET /measures`.", examples=["ks4.attainment_8"])
    academic_year: Code | None = Field(
        default=None, description="The academic year; may be sent once for all figures instead.", examples=["2025/26"]
    )
    period: Code | None = Field(
        default=None,
        description="`year` when it is left out, or `autumn`, `spring`, `summer`, `autumn_spring`, `year_to_date`.",
        examples=["year"],
    )
    pupil_group: Code | None = Field(
        default=None, description="Which pupils; `all` when it is left out.", examples=["all"]
    )
    value: Cell | None = Field(
        default=None, description="The figure; null, or an official symbol such as `SUPP`, when there is none."
    )
    reason: Code | None = Field(default=None, description="Why there is no value.", examples=["suppressed"])
    lower: Cell | None = Field(default=None, description="Lower limit of the 95% interval.")
    upper: Cell | None = Field(default=None, description="Upper limit of the 95% interval.")
    cohort: Cell | None = Field(default=None, description="Number of pupils behind the figure.")
    published_band: Cell | None = Field(default=None, description="Band of progress: 1 to 5, or in words.")


class ObservationBatchCreate(BaseModel):
    """Figures of the trust's own."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "academic_year": "2025/26",
                    "observations": [
                        {"urn": 136105, "measure": "attendance.overall_percent", "value": 94.1, "cohort": 964},
                        {"urn": 136105, "measure": "ks4.attainment_8", "reason": "not_available"},
                    ],
                }
            ]
        },
    )

    academic_year: AcademicYear | None = Field(
        default=None, description="The academic year of all figures; those that name one must agree."
    )
    release: Release = Field(default=Release.FINAL, description="How settled the figures are.")
    confirm: list[Confirmation] = Field(
        default=[], max_length=5, description="What is meant so, although a request without it left values out."
    )
    observations: list[ObservationCreate] = Field(
        min_length=1,
        max_length=MOST_FIGURES,
        description="The figures; no two of the same `urn`, `measure`, `pupil_group`, `academic_year` and `period`.",
    )

    def lines(self) -> bytes:
        """The figures as a file of NDJSON has them."""
        rows = self.model_dump(include={"observations"}, exclude_none=True)["observations"]
        return b"".join(
            orjson.dumps({name: _plain(cell) for name, cell in row.items()}, option=orjson.OPT_APPEND_NEWLINE)
            for row in rows
        )


class FigureOutcome(StrEnum):
    """What became of a figure that was sent."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    LEFT_OUT = "left_out"


class ObservationOutcomeOut(BaseModel):
    """What became of one figure."""

    urn: Urn = Field(description="The academy.", examples=[136105])
    measure: str = Field(description="Code of the measure.", examples=["ks4.attainment_8"])
    pupil_group: str = Field(description="Which pupils.", examples=["all"])
    academic_year: str = Field(description="The academic year.", examples=["2025/26"])
    period: str = Field(description="The year, a term or another part of it.", examples=["year"])
    outcome: FigureOutcome = Field(
        description="`new`: nothing stood before. `changed`: it took the place of another. `unchanged`: the same stood "
        "already. `left_out`: it wasn't stored, since the trust has erased its value and `confirm` doesn't say that it "
        "is right.",
        examples=["changed"],
    )
    observation_id: UUID | None = Field(
        description="Id of the figure that stands now; null when this one was left out and nothing else stands in this "
        "release.",
        examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"],
    )

    @classmethod
    def of(cls, taken: TakenFigure) -> Self:
        """What became of a figure that was taken."""
        outcome = FigureOutcome.UNCHANGED
        if taken.is_left_out:
            outcome = FigureOutcome.LEFT_OUT
        elif taken.is_written:
            outcome = FigureOutcome.NEW if taken.replaced is None else FigureOutcome.CHANGED
        return cls(
            urn=taken.urn,
            measure=taken.measure,
            pupil_group=taken.pupil_group,
            academic_year=taken.academic_year,
            period=taken.period,
            outcome=outcome,
            observation_id=taken.observation_id,
        )


class ObservationBatchOut(Tagged):
    """What became of a batch. Its `ETag` is that of its import."""

    import_id: UUID = Field(
        description="The import that it is: `GET /imports/{import_id}`. Take it back by this id.",
        examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"],
    )
    rows_new: int = Field(description="How many figures are new.", examples=[1])
    rows_changed: int = Field(description="How many took the place of others.", examples=[1])
    rows_unchanged: int = Field(
        description="How many stood already. Values that were erased and aren't stored count nowhere.", examples=[0]
    )
    warnings: list[ImportWarningOut] = Field(
        description="What is kept although it looks wrong: the most important first."
    )
    observations: list[ObservationOutcomeOut] = Field(
        description="What became of each figure, in the order in which they were sent."
    )

    @classmethod
    def of(cls, made: Import, taken: Sequence[TakenFigure]) -> Self:
        """The answer about an import that was applied at once."""
        return cls(
            import_id=made.id,
            rows_new=made.rows_new,
            rows_changed=made.rows_changed,
            rows_unchanged=made.rows_unchanged,
            warnings=[ImportWarningOut.model_validate(warning) for warning in made.warnings],
            observations=[ObservationOutcomeOut.of(one) for one in taken],
        ).tagged(made.tag)
