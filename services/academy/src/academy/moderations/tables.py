"""What must never be false about moderations: one in force an academy, with a reason and a last day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKeyConstraint, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel

ONE_IN_FORCE = "moderation_one_in_force"


class Moderation(SQLModel, table=True):
    """A person's override of what is computed for one academy, until it ends."""

    __tablename__: ClassVar[str | Callable[..., str]] = "moderation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "rating_id"],
            ["academy.rating.trust_id", "academy.rating.id"],
            name="moderation_rating_fkey",
        ),
        CheckConstraint("status in ('red', 'amber', 'green')", name="moderation_status"),
        CheckConstraint("length(btrim(reason)) > 0", name="moderation_reason"),
        CheckConstraint("ended_how in ('withdrawn', 'lapsed', 'replaced', 'left')", name="moderation_ended_how"),
        CheckConstraint("(ended_at is null) = (ended_how is null)", name="moderation_ended"),
        CheckConstraint(
            "ended_reason is null or ended_how = 'withdrawn' and length(btrim(ended_reason)) > 0",
            name="moderation_ended_reason",
        ),
        Index(
            ONE_IN_FORCE,
            "trust_id",
            "urn",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("moderation_newest", "trust_id", "urn", text("made_at desc"), text("id desc")),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    urn: int = Field(sa_column=Column(Integer, nullable=False))
    rating_id: UUID = Field(sa_column=Column(Uuid, nullable=False))
    status: str = Field(sa_column=Column(Text, nullable=False))
    step: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    computed_status: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    evidence_url: str = Field(sa_column=Column(Text, nullable=False))
    lapses_on: date = Field(sa_column=Column(Date, nullable=False))
    made_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    made_by: str = Field(sa_column=Column(Text, nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    ended_by: str | None = Field(default=None, sa_column=Column(Text))
    ended_how: str | None = Field(default=None, sa_column=Column(Text))
    ended_reason: str | None = Field(default=None, sa_column=Column(Text))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
