"""Create what says which file belongs to what; the content of files lies in the object store."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import file_tables

revision: str = "0012_create_stored_files"
down_revision: str | None = "0011_create_state_changes"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create it in academy's schema."""
    for statement in file_tables("academy"):
        op.execute(statement)


def downgrade() -> None:
    """Drop it; what lies in the object store is swept."""
    op.execute("drop table academy.stored_file")
