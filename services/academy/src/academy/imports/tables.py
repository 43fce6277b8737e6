"""What must never be false about imports, the files that they hold, and what came of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel


def _count() -> Any:
    return Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class Import(SQLModel, table=True):
    """One file that somebody sent, and what came of it. A platform-operator's live under the platform's own id.

    `academies` are those that the sender's grant covers (null for all of the trust's): the job that reads the file
    later may write figures of these only.
    """

    __tablename__: ClassVar[str | Callable[..., str]] = "import"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="import_state"),
        CheckConstraint("release in ('provisional', 'revised', 'final')", name="import_release"),
        CheckConstraint("progress_percent between 0 and 100", name="import_progress"),
        CheckConstraint("(finished_at is null) = (state in ('queued', 'running'))", name="import_finished_when_ended"),
        Index("import_created_at_idx", "trust_id", "created_at", "id"),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    academic_year: str | None = Field(default=None, sa_column=Column(Text))
    release: str = Field(sa_column=Column(Text, nullable=False))
    dry_run: bool = Field(sa_column=Column(Boolean, nullable=False))
    state: str = Field(sa_column=Column(Text, nullable=False))
    content_type: str = Field(sa_column=Column(Text, nullable=False))
    is_gzipped: bool = Field(sa_column=Column(Boolean, nullable=False))
    sha256: str = Field(sa_column=Column(Text, nullable=False))
    size_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    rows_read: int = _count()
    rows_accepted: int = _count()
    rows_ignored: int = _count()
    comparison_rows: int = _count()
    rows_new: int = _count()
    rows_changed: int = _count()
    rows_unchanged: int = _count()
    errors: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )
    errors_total: int = _count()
    warnings: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )
    progress_percent: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    academies: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer)))
    created_by: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    finished_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))


class ImportChunk(SQLModel, table=True):
    """A mebibyte of a file as it was sent, numbered from 0; stored as it is, since compressing it costs
    more."""

    __tablename__: ClassVar[str | Callable[..., str]] = "import_chunk"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "import_id"],
            ["academy.import.trust_id", "academy.import.id"],
            name="import_chunk_import_fkey",
        ),
        {"schema": "academy"},
    )

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    import_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ImportNotice(SQLModel, table=True):
    """That a national import's changes have been announced on a trust's feed, so that it happens once."""

    __tablename__: ClassVar[str | Callable[..., str]] = "import_notice"
    __table_args__ = ({"schema": "academy"},)

    trust_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    import_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    told_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ReferenceLoad(SQLModel, table=True):
    """The loader's receipt: a national import that has been applied, written in the transaction that applied
    it.

    The loader can't see the import itself (that is a tenant row). A worker that was killed between the two
    finds the receipt and finishes the import with these counts, instead of applying it again. `affected_trusts` are
    those whose ratings may differ now.
    """

    __tablename__: ClassVar[str | Callable[..., str]] = "reference_load"
    __table_args__ = ({"schema": "academy"},)

    import_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    rows_new: int = Field(sa_column=Column(BigInteger, nullable=False))
    rows_changed: int = Field(sa_column=Column(BigInteger, nullable=False))
    rows_unchanged: int = Field(sa_column=Column(BigInteger, nullable=False))
    affected_trusts: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    recorded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
