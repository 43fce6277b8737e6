"""Create posts: what actions, accountabilities and distribution lists name.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import tenant_table_policies

revision: str = "0019_create_posts"
down_revision: str | None = "0018_erase_people_from_histories"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """The table with its policies."""
    op.execute("""
        create table academy.post (
            trust_id uuid not null,
            id uuid not null,
            version integer not null default 1,
            created_at timestamptz not null,
            created_by text not null,
            updated_at timestamptz not null,
            updated_by text not null,
            updated_as text not null,
            urn integer,
            state text not null constraint post_state check (state in ('active', 'retired')),
            role text not null,
            title text not null constraint post_title check (length(btrim(title)) > 0),
            primary key (trust_id, id)
        )
    """)
    op.execute("""
        create unique index post_once on academy.post (trust_id, urn, role, title) nulls not distinct
        where state = 'active'
    """)
    op.execute("create index post_by_title on academy.post (trust_id, title, id)")
    for statement in tenant_table_policies(
        "academy", "post", academy_column="urn", academy_optional=True, grants=("select", "insert", "update")
    ):
        op.execute(statement)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table academy.post")
