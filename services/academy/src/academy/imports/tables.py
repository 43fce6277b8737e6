"""What must never be false about imports, the files that they hold, and what came of them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    Uuid,
    text,
)
from sqlmodel import Field, SQLModel

from kit.etags import check_if_match, etag, tags_of
from kit.schema.access import Access
from kit.schema.tables import (
    TableName,
    TenantRow,
    TenantTable,
    Versioned,
    instant_column,
    json_column,
    text_column,
    urns_column,
)


def _count() -> Any:
    return Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


def _findings() -> Any:
    return json_column(default_factory=list, sa_column_kwargs={"server_default": text("'[]'::jsonb")})


class Import(TenantTable, Versioned, table=True):
    """One file that somebody sent, and what came of it. A platform-operator's live under the platform's own id.

    `academies` are those that the sender's grant covers (null for all of the trust's): the job that reads the file
    later may write figures of these only. `confirmed` is what the sender said is meant so, for whichever job reads it.
    """

    __tablename__: ClassVar[TableName] = "import"
    __table_args__ = (
        CheckConstraint(
            "state in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'withdrawing', 'withdrawn',"
            " 'not_withdrawn')",
            name="import_state",
        ),
        CheckConstraint("release in ('provisional', 'revised', 'final')", name="import_release"),
        CheckConstraint("progress_percent between 0 and 100", name="import_progress"),
        CheckConstraint("(finished_at is null) = (state in ('queued', 'running'))", name="import_finished_when_ended"),
        Index("import_created_at_idx", "trust_id", "created_at", "id"),
        {"schema": "academy"},
    )
    __access__ = Access(covered="academies")

    kind: str = text_column()
    academic_year: str | None = text_column(nullable=True)
    release: str = text_column()
    dry_run: bool
    state: str = text_column()
    content_type: str = text_column()
    is_gzipped: bool
    sha256: str = text_column()
    size_bytes: int = Field(sa_type=BigInteger)
    rows_read: int = _count()
    rows_accepted: int = _count()
    rows_ignored: int = _count()
    comparison_rows: int = _count()
    rows_new: int = _count()
    rows_changed: int = _count()
    rows_unchanged: int = _count()
    errors: list[dict[str, Any]] = _findings()
    errors_total: int = _count()
    warnings: list[dict[str, Any]] = _findings()
    progress_percent: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    academies: list[int] | None = urns_column(nullable=True)
    confirmed: list[str] = Field(
        default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'::text[]"))
    )
    created_by: str = text_column()
    created_at: datetime = instant_column()
    started_at: datetime | None = instant_column(nullable=True)
    finished_at: datetime | None = instant_column(nullable=True)
    withdrawn_at: datetime | None = instant_column(nullable=True)
    withdrawn_by: str | None = text_column(nullable=True)
    withdrawn_as: str | None = text_column(nullable=True)
    withdrawal_reason: str | None = text_column(nullable=True)

    @property
    def tag(self) -> str:
        """The entity tag of this version: its state counts first, then how far it is."""
        return etag(f"{self.version}-{self.progress_percent}")

    @property
    def is_of_trust(self) -> bool:
        """Was it sent under a grant for all of the trust? Else it concerns the academies of that grant."""
        return self.academies is None

    def changed(self, *, by: str, as_role: str, at: datetime) -> None:  # noqa: ARG002 - as every thing with states
        """Note a change of state; the record of it keeps by whom, in which role and when."""
        self.version += 1

    def check(self, if_match: str) -> None:
        """Raises PreconditionFailed unless `If-Match` names this version, however far the import is by now.

        Else nobody could ever cancel a running one.
        """
        versions = {tag.partition("-")[0] for tag in tags_of(if_match) or ()}
        if str(self.version) not in versions:
            check_if_match(if_match, self.tag)


class ImportChunk(TenantRow, table=True):
    """A mebibyte of a file as it was sent, numbered from 0; stored as it is, since compressing it costs
    more."""

    __tablename__: ClassVar[TableName] = "import_chunk"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "import_id"],
            ["academy.import.trust_id", "academy.import.id"],
            name="import_chunk_import_fkey",
        ),
        {"schema": "academy"},
    )
    __access__ = Access(parent=("import", "import_id"))

    import_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    content: bytes = Field(sa_type=LargeBinary)


class ImportNotice(TenantRow, table=True):
    """That a national import's changes, or its withdrawal, have been announced on a trust's feed: each once."""

    __tablename__: ClassVar[TableName] = "import_notice"
    __table_args__ = ({"schema": "academy"},)
    __access__ = Access(whole_trust=True)

    import_id: UUID = Field(primary_key=True)
    told_at: datetime = instant_column()
    withdrawal_announced_at: datetime | None = instant_column(nullable=True)


class ReferenceLoad(SQLModel, table=True):
    """The loader's receipt: a national import that has been applied, written in the transaction that applied
    it.

    The loader can't see the import itself (that is a tenant row). A worker that was killed between the two
    finds the receipt and finishes the import with these counts, instead of applying it again. `affected_trusts` are
    those whose ratings may differ now. From `withdrawn_at` on it is the receipt of the withdrawal too.
    """

    __tablename__: ClassVar[TableName] = "reference_load"
    __table_args__ = ({"schema": "academy"},)

    import_id: UUID = Field(primary_key=True)
    kind: str = text_column()
    rows_new: int = Field(sa_type=BigInteger)
    rows_changed: int = Field(sa_type=BigInteger)
    rows_unchanged: int = Field(sa_type=BigInteger)
    affected_trusts: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    recorded_at: datetime = instant_column()
    withdrawn_at: datetime | None = instant_column(nullable=True)
    figures_restored: int = _count()
    figures_withdrawn: int = _count()
