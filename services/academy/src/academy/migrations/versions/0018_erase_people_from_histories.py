"""Let people be erased from histories: their subject gives way to a pseudonym, and nothing else changes."""

from collections.abc import Sequence

from alembic import op

from kit.schema.people import drop_erasable, erasable

revision: str = "0018_erase_people_from_histories"
down_revision: str | None = "0017_create_terms"
oldest_code: str = "0017_create_terms"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Grant it, and refuse every other change."""
    for statement in erasable("academy", "event", "state_change", "stored_file"):
        op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    for statement in drop_erasable("academy", "event", "state_change", "stored_file"):
        op.execute(statement)
