"""What is told of each academy now: which rating, which override, and since when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Index, Integer, Text, Uuid
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel


class RagStatus(SQLModel, table=True):
    """What is told of one academy now; with `left_at` it is what was told when the academy left."""

    __tablename__: ClassVar[str | Callable[..., str]] = "rag_status"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "rating_id"],
            ["academy.rating.trust_id", "academy.rating.id"],
            name="rag_status_rating_fkey",
        ),
        ForeignKeyConstraint(
            ["trust_id", "moderation_id"],
            ["academy.moderation.trust_id", "academy.moderation.id"],
            name="rag_status_moderation_fkey",
        ),
        Index("rag_status_changed", "trust_id", "changed_at"),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    urn: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    phase: str | None = Field(default=None, sa_column=Column(Text))
    rating_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    moderation_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    changed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    left_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))


class RagVersion(SQLModel, table=True):
    """One number a trust, raised with every change of what its lists say."""

    __tablename__: ClassVar[str | Callable[..., str]] = "rag_version"
    __table_args__ = ({"schema": "academy"},)

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger, nullable=False))
