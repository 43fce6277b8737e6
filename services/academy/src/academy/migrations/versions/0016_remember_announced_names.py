"""Remember under which name an academy was announced, so that the feed says when the register gives it another.

Safe with the previous release, which leaves it empty: the next rating announces the name then.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0016_remember_announced_names"
down_revision: str | None = "0015_create_followers"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """A column that may be empty."""
    op.execute("alter table academy.rag_status add column name text")


def downgrade() -> None:
    """Take it away."""
    op.execute("alter table academy.rag_status drop column name")
