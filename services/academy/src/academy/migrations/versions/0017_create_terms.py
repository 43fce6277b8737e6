"""Create terms: the dates of an academic year, of a trust or of one academy.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import tenant_table_policies

revision: str = "0017_create_terms"
down_revision: str | None = "0016_remember_announced_names"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """The table with its policies."""
    op.execute("""
        create table academy.term (
            trust_id uuid not null,
            id uuid not null,
            version integer not null default 1,
            created_at timestamptz not null,
            created_by text not null,
            updated_at timestamptz not null,
            updated_by text not null,
            updated_as text not null,
            urn integer,
            state text not null constraint term_state check (state in ('active', 'retired')),
            academic_year text not null constraint term_academic_year check (academic_year ~ '^[0-9]{4}/[0-9]{2}$'),
            term text not null constraint term_term check (term in ('autumn', 'spring', 'summer')),
            starts_on date not null,
            ends_on date not null,
            half_term_starts_on date,
            half_term_ends_on date,
            primary key (trust_id, id),
            constraint term_dates check (
                starts_on < ends_on and starts_on >= make_date(left(academic_year, 4)::int, 9, 1)
                and ends_on <= make_date(left(academic_year, 4)::int + 1, 8, 31)
            ),
            constraint term_half_term check (
                (half_term_starts_on is null) = (half_term_ends_on is null)
                and (half_term_starts_on is null or starts_on < half_term_starts_on
                     and half_term_starts_on <= half_term_ends_on and half_term_ends_on < ends_on)
            )
        )
    """)
    op.execute("""
        create unique index term_once on academy.term (trust_id, urn, academic_year, term) nulls not distinct
        where state = 'active'
    """)
    op.execute("create index term_by_day on academy.term (trust_id, starts_on, id)")
    for statement in tenant_table_policies(
        "academy", "term", academy_column="urn", academy_optional=True, grants=("select", "insert", "update")
    ):
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table academy.term")
