"""What must never be false about criteria sets: one published set a trust and phase, numbered in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Index, Integer, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel

ONE_PUBLISHED = "criteria_set_one_published"


class CriteriaSet(SQLModel, table=True):
    """One numbered set of rules for one phase; a trigger keeps it as it is once it was published."""

    __tablename__: ClassVar[str | Callable[..., str]] = "criteria_set"
    __table_args__ = (
        UniqueConstraint("trust_id", "phase", "number", name="criteria_set_number"),
        CheckConstraint(
            "phase in ('nursery', 'primary', 'secondary', 'all_through', 'sixteen_plus', 'special',"
            " 'alternative_provision')",
            name="criteria_set_phase",
        ),
        CheckConstraint("state in ('draft', 'published', 'retired')", name="criteria_set_state"),
        CheckConstraint("(published_at is null) = (state = 'draft')", name="criteria_set_published"),
        CheckConstraint("(retired_at is not null) = (state = 'retired')", name="criteria_set_retired"),
        Index(
            ONE_PUBLISHED,
            "trust_id",
            "phase",
            unique=True,
            postgresql_where=text("state = 'published'"),
        ),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    phase: str = Field(sa_column=Column(Text, nullable=False))
    title: str = Field(sa_column=Column(Text, nullable=False))
    number: int = Field(sa_column=Column(Integer, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    rules: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    created_by: str = Field(sa_column=Column(Text, nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    published_by: str | None = Field(default=None, sa_column=Column(Text))
    retired_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))


class RatedTrust(SQLModel, table=True):
    """That a trust rates its academies, so that national imports have them rated again."""

    __tablename__: ClassVar[str | Callable[..., str]] = "rated_trust"
    __table_args__ = ({"schema": "academy"},)

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    since: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
