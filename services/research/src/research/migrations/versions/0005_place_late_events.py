"""Let long transactions give their events a place that no reader has passed."""

from collections.abc import Sequence

from alembic import op

from kit.schema.event_positions import late_event_positions, no_late_event_positions

revision: str = "0005_place_late_events"
down_revision: str | None = "0004_erase_people_from_histories"
oldest_code: str = "0003_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """The function behind the trigger takes the place that the transaction names."""
    for statement in late_event_positions("research"):
        op.execute(statement)


def downgrade() -> None:
    """Events have the number of their transaction again."""
    for statement in no_late_event_positions("research"):
        op.execute(statement)
