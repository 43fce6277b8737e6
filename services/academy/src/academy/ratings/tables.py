"""What must never be false about ratings: written once, explained in full, of one criteria set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel, col

from academy.observations.tables import ReferenceObservation

# The newest year loaded for a measure is asked at every rating, whichever schools it is of.
Index(
    "reference_observation_newest",
    col(ReferenceObservation.measure),
    col(ReferenceObservation.academic_year),
)


class Rating(SQLModel, table=True):
    """One computed rating of one academy: never changed, never deleted."""

    __tablename__: ClassVar[str | Callable[..., str]] = "rating"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "criteria_set_id"],
            ["academy.criteria_set.trust_id", "academy.criteria_set.id"],
            name="rating_criteria_set_fkey",
        ),
        CheckConstraint("status in ('red', 'amber', 'green', 'not_assessed')", name="rating_status"),
        CheckConstraint("(step is null) = (status = 'not_assessed')", name="rating_step_when_coloured"),
        Index("rating_newest", "trust_id", "urn", text("rated_at desc"), text("id desc")),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    urn: int = Field(sa_column=Column(Integer, nullable=False))
    phase: str = Field(sa_column=Column(Text, nullable=False))
    criteria_set_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    step: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    counts: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    assessed_percent: Decimal = Field(sa_column=Column(Numeric, nullable=False))
    points_percent: Decimal | None = Field(default=None, sa_column=Column(Numeric))
    limited_by: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    why: str = Field(sa_column=Column(Text, nullable=False))
    criteria: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    content_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    data_as_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    rated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
