"""What must never be false about criteria sets: one published set a trust and phase, numbered in order."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text

from academy.criteria.documents import RulesDocument
from kit.schema.access import Access
from kit.schema.tables import (
    TableName,
    TenantRow,
    TenantTable,
    Versioned,
    document_column,
    instant_column,
    text_column,
)

ONE_PUBLISHED = "criteria_set_one_published"


class CriteriaSet(TenantTable, Versioned, table=True):
    """One numbered set of rules for one phase; a trigger keeps it as it is once it was published."""

    __tablename__: ClassVar[TableName] = "criteria_set"
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
        Index(ONE_PUBLISHED, "trust_id", "phase", unique=True, postgresql_where=text("state = 'published'")),
        {"schema": "academy"},
    )
    __access__ = Access(whole_trust_writes=True)

    phase: str = text_column()
    title: str = text_column()
    number: int
    state: str = text_column()
    rules: RulesDocument = document_column(RulesDocument)
    created_at: datetime = instant_column()
    created_by: str = text_column()
    published_at: datetime | None = instant_column(nullable=True)
    published_by: str | None = text_column(nullable=True)
    retired_at: datetime | None = instant_column(nullable=True)


class RatedTrust(TenantRow, table=True):
    """That a trust rates its academies, so that national imports have them rated again."""

    __tablename__: ClassVar[TableName] = "rated_trust"
    __table_args__ = ({"schema": "academy"},)
    __access__ = Access(whole_trust_writes=True, grants=("select", "insert"))

    since: datetime = instant_column()
