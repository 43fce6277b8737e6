"""Create the kit's tables: events, idempotency keys, jobs."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import drop_kit_tables, kit_tables

revision: str = "0001_create_kit_tables"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create them."""
    for statement in kit_tables("identity"):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for statement in drop_kit_tables("identity"):
        op.execute(statement)
