"""What must never be false about terms, and who sees a row."""

from datetime import date
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, text

from kit.schema.access import Access
from kit.schema.tables import Attributed, TableName, TenantTable, text_column


class Term(Attributed, TenantTable, table=True):
    """The dates of one term of one academic year: of the trust, or of one academy where they differ."""

    __tablename__: ClassVar[TableName] = "term"
    __table_args__ = (
        CheckConstraint("state in ('active', 'retired')", name="term_state"),
        CheckConstraint("term in ('autumn', 'spring', 'summer')", name="term_term"),
        CheckConstraint("academic_year ~ '^[0-9]{4}/[0-9]{2}$'", name="term_academic_year"),
        # An academic year is September to August.
        CheckConstraint(
            "starts_on < ends_on and starts_on >= make_date(left(academic_year, 4)::int, 9, 1)"
            " and ends_on <= make_date(left(academic_year, 4)::int + 1, 8, 31)",
            name="term_dates",
        ),
        CheckConstraint(
            "(half_term_starts_on is null) = (half_term_ends_on is null) and (half_term_starts_on is null"
            " or starts_on < half_term_starts_on and half_term_starts_on <= half_term_ends_on"
            " and half_term_ends_on < ends_on)",
            name="term_half_term",
        ),
        Index(
            "term_once",
            "trust_id",
            "urn",
            "academic_year",
            "term",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("state = 'active'"),
        ),
        Index("term_by_day", "trust_id", "starts_on", "id"),
        {"schema": "academy"},
    )
    __access__ = Access(urn="urn", urn_optional=True, grants=("select", "insert", "update"))

    urn: int | None = None
    state: str = text_column()
    academic_year: str = text_column()
    term: str = text_column()
    starts_on: date
    ends_on: date
    half_term_starts_on: date | None = None
    half_term_ends_on: date | None = None
