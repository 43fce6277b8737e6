"""What must never be false about the register of schools and inspections: reference data of no trust."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel


class School(SQLModel, table=True):
    """One school of England by its URN; `is_registered` is false for a stub that only a figure has named."""

    __tablename__: ClassVar[str | Callable[..., str]] = "school"
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
        {"schema": "academy"},
    )

    urn: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    ukprn: str | None = Field(default=None, sa_column=Column(Text))
    laestab: str | None = Field(default=None, sa_column=Column(Text))
    la_code: str | None = Field(default=None, sa_column=Column(Text))
    la_name: str | None = Field(default=None, sa_column=Column(Text))
    type_code: str | None = Field(default=None, sa_column=Column(Text))
    type_name: str | None = Field(default=None, sa_column=Column(Text))
    phase: str | None = Field(default=None, sa_column=Column(Text))
    status: str = Field(sa_column=Column(Text, nullable=False))
    opened_on: date | None = None
    closed_on: date | None = None
    low_age: int | None = None
    high_age: int | None = None
    pupils: int | None = None
    capacity: int | None = None
    town: str | None = Field(default=None, sa_column=Column(Text))
    postcode: str | None = Field(default=None, sa_column=Column(Text))
    region: str | None = Field(default=None, sa_column=Column(Text))
    is_registered: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    source: str | None = Field(default=None, sa_column=Column(Text))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))


class SchoolLink(SQLModel, table=True):
    """That one URN followed or preceded another (conversion, merger, amalgamation, split).

    `link_type` says what the linked school is to this one, e.g. successor.
    """

    __tablename__: ClassVar[str | Callable[..., str]] = "school_link"
    __table_args__ = (
        Index("school_link_linked_urn_idx", "linked_urn"),
        {"schema": "academy"},
    )

    urn: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    linked_urn: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    link_type: str = Field(sa_column=Column(Text, primary_key=True))
    established_on: date | None = None
    import_id: UUID | None = Field(default=None, sa_column=Column(Uuid))


class Inspection(SQLModel, table=True):
    """One inspection of one school: an overall grade (until 2024), an ungraded visit, or a report card.

    A correction supersedes the earlier row and keeps it.
    """

    __tablename__: ClassVar[str | Callable[..., str]] = "inspection"
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
        {"schema": "academy"},
    )

    id: UUID = Field(sa_column=Column(Uuid, primary_key=True, server_default=text("uuidv7()")))
    urn: int = Field(sa_column=Column(Integer, nullable=False))
    inspected_on: date
    published_on: date | None = None
    kind: str = Field(sa_column=Column(Text, nullable=False))
    overall_grade: str | None = Field(default=None, sa_column=Column(Text))
    category_of_concern: str | None = Field(default=None, sa_column=Column(Text))
    judgements: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    safeguarding: str | None = Field(default=None, sa_column=Column(Text))
    source: str | None = Field(default=None, sa_column=Column(Text))
    import_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    superseded_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
