"""Keep what a change of a thing's fields moved, beside the changes of its state.

Safe with the previous release, which leaves the column empty.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0030_keep_changes_of_fields"
down_revision: str | None = "0029_search_by_words"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column."""
    op.execute("alter table academy.state_change add column fields jsonb")


def downgrade() -> None:
    """Drop it again."""
    op.execute("alter table academy.state_change drop column fields")
