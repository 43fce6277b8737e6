"""What must never be false about the register of schools and inspections: reference data of no trust."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel

from kit.schema.tables import TableName, Versioned, instant_column, text_column


class School(Versioned, table=True):
    """One school of England by its URN; `is_registered` is false for a stub that only a figure has named."""

    __tablename__: ClassVar[TableName] = "school"
    __table_args__ = (
        CheckConstraint("urn between 1 and 9999999", name="school_urn_range"),
        CheckConstraint(
            "phase in ('nursery', 'primary', 'secondary', 'all_through', 'sixteen_plus', 'special',"
            " 'alternative_provision')",
            name="school_phase",
        ),
        CheckConstraint(
            "status in ('open', 'closed', 'proposed_to_open', 'proposed_to_close', 'unknown')",
            name="school_status",
        ),
        Index("school_name_idx", "name", "urn"),
        Index("school_ukprn_idx", "ukprn"),
        Index("school_laestab_idx", "laestab"),
        Index("school_la_code_idx", "la_code", "urn"),
        Index("school_updated_at_idx", "updated_at", "urn"),
        Index("school_search_idx", text("academy.search_terms(name, postcode)"), postgresql_using="gin"),
        {"schema": "academy"},
    )

    urn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str = text_column()
    ukprn: str | None = text_column(nullable=True)
    laestab: str | None = text_column(nullable=True)
    la_code: str | None = text_column(nullable=True)
    la_name: str | None = text_column(nullable=True)
    type_code: str | None = text_column(nullable=True)
    type_name: str | None = text_column(nullable=True)
    phase: str | None = text_column(nullable=True)
    status: str = text_column()
    opened_on: date | None = None
    closed_on: date | None = None
    low_age: int | None = None
    high_age: int | None = None
    pupils: int | None = None
    capacity: int | None = None
    town: str | None = text_column(nullable=True)
    postcode: str | None = text_column(nullable=True)
    region: str | None = text_column(nullable=True)
    is_registered: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    source: str | None = text_column(nullable=True)
    updated_at: datetime = instant_column()


class SchoolLink(SQLModel, table=True):
    """That one URN followed or preceded another (conversion, merger, amalgamation, split).

    `link_type` says what the linked school is to this one, e.g. successor.
    """

    __tablename__: ClassVar[TableName] = "school_link"
    __table_args__ = (
        Index("school_link_linked_urn_idx", "linked_urn"),
        {"schema": "academy"},
    )

    urn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    linked_urn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    link_type: str = Field(sa_column=Column(Text, primary_key=True))
    established_on: date | None = None
    import_id: UUID | None = None


class Inspection(SQLModel, table=True):
    """One inspection of one school: an overall grade (until 2024), an ungraded visit, or a report card.

    A correction supersedes the earlier row and keeps it.
    """

    __tablename__: ClassVar[TableName] = "inspection"
    __table_args__ = (
        CheckConstraint("kind in ('overall_grade', 'ungraded', 'report_card')", name="inspection_kind"),
        Index(
            "inspection_key",
            "urn",
            "inspected_on",
            "kind",
            "superseded_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("inspection_newest", "inspected_on", "id"),
        {"schema": "academy"},
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    urn: int
    inspected_on: date
    published_on: date | None = None
    kind: str = text_column()
    overall_grade: str | None = text_column(nullable=True)
    category_of_concern: str | None = text_column(nullable=True)
    judgements: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    safeguarding: str | None = text_column(nullable=True)
    graded_on: dict[str, str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    latest_category_of_concern: str | None = text_column(nullable=True)
    source: str | None = text_column(nullable=True)
    import_id: UUID | None = None
    recorded_at: datetime = instant_column()
    superseded_at: datetime | None = instant_column(nullable=True)
