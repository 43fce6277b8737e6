"""Find figures by when they were recorded and when they were superseded.

Safe with the previous release, which doesn't look. Rows lie in the order in which they were recorded, so a summary of
each range of pages is enough; a B-tree would cost a fifth of every load.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0021_find_figures_by_time"
down_revision: str | None = "0020_withdraw_imports"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("reference_observation", "comparison_figure")


def upgrade() -> None:
    """The indexes."""
    for table in TABLES:
        op.execute(
            f"create index {table}_recorded_at_idx on academy.{table}"
            " using brin (recorded_at) with (autosummarize = on)"
        )
        op.execute(
            f"create index {table}_superseded_at_idx on academy.{table} (superseded_at) where superseded_at is not null"
        )
    op.execute(
        "create index observation_superseded_at_idx on academy.observation (trust_id, superseded_at)"
        " where superseded_at is not null"
    )


def downgrade() -> None:
    """Drop them."""
    op.execute("drop index academy.observation_superseded_at_idx")
    for table in TABLES:
        op.execute(f"drop index academy.{table}_superseded_at_idx")
        op.execute(f"drop index academy.{table}_recorded_at_idx")
