"""Keep why an override was withdrawn, beside who did it and when."""

from collections.abc import Sequence

from alembic import op

revision: str = "0009_keep_why_overrides_ended"
down_revision: str | None = "0008_keep_stated_days_of_leaving"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column; every row that is there has none to say."""
    op.execute("""
alter table academy.moderation add column ended_reason text,
    add constraint moderation_ended_reason
        check (ended_reason is null or ended_how = 'withdrawn' and length(btrim(ended_reason)) > 0)
    """)


def downgrade() -> None:
    """Drop it again."""
    op.execute("alter table academy.moderation drop column ended_reason")
