"""Create the kit's tables: events with their epoch, idempotency keys, jobs."""

from alembic import op

from kit.schema.ddl import drop_kit_tables, job_enqueue_grants, kit_tables

revision: str = "0001_create_kit_tables"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Create them in academy's schema; who loads reference data queues what follows from it."""
    for statement in [*kit_tables("academy"), *job_enqueue_grants("academy", "academy_loader")]:
        op.execute(statement)


def downgrade() -> None:
    """Drop them."""
    for statement in drop_kit_tables("academy"):
        op.execute(statement)
