"""Let people be erased from histories: their subject gives way to a pseudonym, and nothing else changes."""

from collections.abc import Sequence

from alembic import op

from kit.schema.people import drop_erasable, erasable

revision: str = "0005_erase_people_from_histories"
down_revision: str | None = "0004_create_sources"
oldest_code: str = "0004_create_sources"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Grant it, and refuse every other change."""
    for statement in erasable("reporting", "event", "state_change"):
        op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    for statement in drop_erasable("reporting", "event", "state_change"):
        op.execute(statement)
