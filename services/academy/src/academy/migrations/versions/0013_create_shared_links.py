"""Create what says which link shows what, until when, and as whom."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import link_tables

revision: str = "0013_create_shared_links"
down_revision: str | None = "0012_create_stored_files"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create it in academy's schema."""
    for statement in link_tables("academy"):
        op.execute(statement)


def downgrade() -> None:
    """Drop it: every link of the service ends."""
    op.execute("drop table academy.shared_link")
