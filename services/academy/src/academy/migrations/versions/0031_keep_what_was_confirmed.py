"""Keep on an import what its sender confirmed, so that a job that is queued again knows it.

Safe with the previous release, which leaves the column empty and puts it into the job.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0031_keep_what_was_confirmed"
down_revision: str | None = "0030_keep_changes_of_fields"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column."""
    op.execute("alter table academy.import add column confirmed text[] not null default '{}'")


def downgrade() -> None:
    """Drop it again."""
    op.execute("alter table academy.import drop column confirmed")
