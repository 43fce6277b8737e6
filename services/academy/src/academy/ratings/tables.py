"""What must never be false about ratings: written once, explained in full, of one criteria set."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, col

from academy.observations.tables import ReferenceObservation
from kit.schema.access import Access
from kit.schema.tables import TableName, TenantTable, instant_column, json_column, text_column

# The newest year loaded for a measure is asked at every rating, whichever schools it is of.
Index(
    "reference_observation_newest",
    col(ReferenceObservation.measure),
    col(ReferenceObservation.academic_year),
)


class Rating(TenantTable, table=True):
    """One computed rating of one academy: never deleted, and changed only where a figure is erased."""

    __tablename__: ClassVar[TableName] = "rating"
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
    __access__ = Access(urn="urn", grants=("select", "insert"))

    urn: int
    phase: str = text_column()
    criteria_set_id: UUID
    status: str = text_column()
    step: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    counts: dict[str, int] = json_column()
    assessed_percent: Decimal = Field(sa_type=Numeric)
    points_percent: Decimal | None = Field(default=None, sa_type=Numeric)
    limited_by: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    why: str = text_column()
    criteria: list[dict[str, Any]] = json_column()
    content_sha256: bytes = Field(sa_type=LargeBinary)
    data_as_at: datetime | None = instant_column(nullable=True)
    rated_at: datetime = instant_column()
