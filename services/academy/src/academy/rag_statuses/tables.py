"""What is shown of each academy now: which rating, which override, and since when."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index
from sqlmodel import Field

from kit.schema.access import Access
from kit.schema.tables import TableName, TenantRow, instant_column, text_column


class RagStatus(TenantRow, table=True):
    """What is shown of one academy now; with `left_at` it is what was shown when the academy left."""

    __tablename__: ClassVar[TableName] = "rag_status"
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
    __access__ = Access(urn="urn")

    urn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str | None = text_column(nullable=True)
    phase: str | None = text_column(nullable=True)
    rating_id: UUID | None = None
    moderation_id: UUID | None = None
    changed_at: datetime = instant_column()
    left_at: datetime | None = instant_column(nullable=True)


class RagVersion(TenantRow, table=True):
    """One number a trust, raised with every change of what its lists say."""

    __tablename__: ClassVar[TableName] = "rag_version"
    __table_args__ = ({"schema": "academy"},)
    # Whoever overrides a rating of one academy raises it.
    __access__ = Access(grants=("select", "insert", "update"))

    version: int = Field(sa_type=BigInteger)
