"""What must never be false about trusts and memberships. Reference data: no trust owns it."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.schema import Column
from sqlmodel import Field, SQLModel

from kit.schema.tables import TableName, Versioned, instant_column, text_column


class TrustRegister(Versioned, table=True):
    """A group of schools as the register names it; only the kinds ending in academy_trust have members."""

    __tablename__: ClassVar[TableName] = "trust_register"
    __table_args__ = (
        Index("trust_register_group_uid_key", "group_uid", unique=True),
        Index("trust_register_name_idx", "name", "id"),
        Index("trust_register_group_id_idx", "group_id"),
        Index("trust_register_ukprn_idx", "ukprn"),
        Index("trust_register_companies_house_number_idx", "companies_house_number"),
        Index("trust_register_updated_at_idx", "updated_at", "id"),
        Index("trust_register_search_idx", text("academy.search_terms(name, null::text)"), postgresql_using="gin"),
        {"schema": "academy"},
    )

    id: UUID = Field(primary_key=True)
    group_uid: str = text_column()
    group_id: str | None = text_column(nullable=True)
    name: str = text_column()
    kind: str = text_column()
    companies_house_number: str | None = text_column(nullable=True)
    ukprn: str | None = text_column(nullable=True)
    status: str = text_column()
    opened_on: date | None = None
    closed_on: date | None = None
    updated_at: datetime = instant_column()


class Membership(SQLModel, table=True):
    """That an academy belonged to a trust from one day until another, as it was known from `recorded_at` on.

    `left_on` is the first day on which it no longer belonged: the one that the register states (`stated_left_on`), or
    that of joining another trust, whichever came first. A row with `superseded_at` is what was known before.
    """

    __tablename__: ClassVar[TableName] = "membership"
    __table_args__ = (
        CheckConstraint("left_on is null or left_on >= joined_on", name="membership_left_after_joined"),
        CheckConstraint("superseded_at >= recorded_at", name="membership_superseded_after_recorded"),
        Index(
            "membership_key",
            "urn",
            "register_id",
            "joined_on",
            "superseded_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("membership_register_id_idx", "register_id", "urn"),
        Index("membership_import_id_idx", "import_id"),
        {"schema": "academy"},
    )

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("uuidv7()")})
    urn: int
    register_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("academy.trust_register.id"), nullable=False))
    joined_on: date
    left_on: date | None = None
    stated_left_on: date | None = None
    import_id: UUID | None = None
    recorded_at: datetime = instant_column()
    superseded_at: datetime | None = instant_column(nullable=True)
