"""Create the record of changes of state."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import state_change_table

revision: str = "0002_create_state_changes"
down_revision: str | None = "0001_create_kit_tables"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table and its row-level security."""
    for statement in state_change_table("research"):
        op.execute(statement)


def downgrade() -> None:
    """Drop it again."""
    op.execute("drop table research.state_change")
