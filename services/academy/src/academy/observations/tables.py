"""What must never be false about figures: one key, one current row a release, and a value or a reason.

`observation` belongs to a trust (row-level security); the other two are reference data. None has a foreign
key to its import: the check of a key for each of a million rows would double the time of a load, and imports
are never deleted. Codes collate as bytes ("C"), which is cheaper to compare and the same on every machine.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, Text, text
from sqlmodel import Field, SQLModel

from kit.schema.access import Access
from kit.schema.tables import TableName, TenantTable, instant_column, text_column

CODE = Text(collation="C")


class ReferenceObservation(SQLModel, table=True):
    """A published figure of one school, the same for every reader."""

    __tablename__: ClassVar[TableName] = "reference_observation"
    __table_args__ = (
        CheckConstraint("(value is null) <> (reason is null)", name="reference_observation_value_or_reason"),
        CheckConstraint("lower <= upper", name="reference_observation_interval"),
        CheckConstraint("cohort >= 0", name="reference_observation_cohort"),
        CheckConstraint("release in ('provisional', 'revised', 'final')", name="reference_observation_release"),
        Index(
            "reference_observation_key",
            "urn",
            "measure",
            "academic_year",
            "pupil_group",
            "period",
            "release",
            "superseded_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("reference_observation_import_id_idx", "import_id"),
        Index(
            "reference_observation_recorded_at_idx",
            "recorded_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        Index(
            "reference_observation_superseded_at_idx",
            "superseded_at",
            postgresql_where=text("superseded_at is not null"),
        ),
        {"schema": "academy"},
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    urn: int
    measure: str = Field(sa_type=CODE)
    pupil_group: str = Field(sa_type=CODE)
    academic_year: str = Field(sa_type=CODE)
    period: str = Field(sa_type=CODE)
    release: str = Field(sa_type=CODE)
    value: Decimal | None = Field(default=None, sa_type=Numeric)
    reason: str | None = Field(default=None, sa_type=CODE)
    lower: Decimal | None = Field(default=None, sa_type=Numeric)
    upper: Decimal | None = Field(default=None, sa_type=Numeric)
    cohort: int | None = None
    published_band: str | None = Field(default=None, sa_type=CODE)
    source: str = text_column()
    import_id: UUID
    recorded_at: datetime = instant_column()
    superseded_at: datetime | None = instant_column(nullable=True)


class ComparisonFigure(SQLModel, table=True):
    """A published figure of England, a region or a local authority, to compare schools with."""

    __tablename__: ClassVar[TableName] = "comparison_figure"
    __table_args__ = (
        CheckConstraint("(value is null) <> (reason is null)", name="comparison_figure_value_or_reason"),
        CheckConstraint("area in ('england', 'region', 'la')", name="comparison_figure_area"),
        CheckConstraint("sector in ('state_funded', 'all')", name="comparison_figure_sector"),
        CheckConstraint("release in ('provisional', 'revised', 'final')", name="comparison_figure_release"),
        Index(
            "comparison_figure_key",
            "measure",
            "academic_year",
            "area",
            "area_code",
            "sector",
            "phase",
            "pupil_group",
            "period",
            "release",
            "superseded_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("comparison_figure_import_id_idx", "import_id"),
        Index(
            "comparison_figure_recorded_at_idx",
            "recorded_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        Index(
            "comparison_figure_superseded_at_idx",
            "superseded_at",
            postgresql_where=text("superseded_at is not null"),
        ),
        {"schema": "academy"},
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    area: str = Field(sa_type=CODE)
    area_code: str = Field(sa_type=CODE)
    sector: str = Field(sa_type=CODE)
    phase: str = Field(sa_type=CODE)
    measure: str = Field(sa_type=CODE)
    pupil_group: str = Field(sa_type=CODE)
    academic_year: str = Field(sa_type=CODE)
    period: str = Field(sa_type=CODE)
    release: str = Field(sa_type=CODE)
    value: Decimal | None = Field(default=None, sa_type=Numeric)
    reason: str | None = Field(default=None, sa_type=CODE)
    source: str = text_column()
    import_id: UUID
    recorded_at: datetime = instant_column()
    superseded_at: datetime | None = instant_column(nullable=True)


class Observation(TenantTable, table=True):
    """A trust's own figure of one academy, seen by that trust alone."""

    __tablename__: ClassVar[TableName] = "observation"
    __table_args__ = (
        CheckConstraint("(value is null) <> (reason is null)", name="observation_value_or_reason"),
        CheckConstraint("lower <= upper", name="observation_interval"),
        CheckConstraint("cohort >= 0", name="observation_cohort"),
        CheckConstraint("release in ('provisional', 'revised', 'final')", name="observation_release"),
        Index(
            "observation_key",
            "trust_id",
            "urn",
            "measure",
            "academic_year",
            "pupil_group",
            "period",
            "release",
            "superseded_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index(
            "observation_recorded_at_idx",
            "trust_id",
            "recorded_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        ),
        Index(
            "observation_superseded_at_idx",
            "trust_id",
            "superseded_at",
            postgresql_where=text("superseded_at is not null"),
        ),
        {"schema": "academy"},
    )
    __access__ = Access(urn="urn")

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    urn: int
    measure: str = Field(sa_type=CODE)
    pupil_group: str = Field(sa_type=CODE)
    academic_year: str = Field(sa_type=CODE)
    period: str = Field(sa_type=CODE)
    release: str = Field(sa_type=CODE)
    value: Decimal | None = Field(default=None, sa_type=Numeric)
    reason: str | None = Field(default=None, sa_type=CODE)
    lower: Decimal | None = Field(default=None, sa_type=Numeric)
    upper: Decimal | None = Field(default=None, sa_type=Numeric)
    cohort: int | None = None
    published_band: str | None = Field(default=None, sa_type=CODE)
    source: str = text_column()
    import_id: UUID
    recorded_at: datetime = instant_column()
    superseded_at: datetime | None = instant_column(nullable=True)
    erased_at: datetime | None = instant_column(nullable=True)
