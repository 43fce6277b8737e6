"""Let the withdrawal of an import fail: a state of its own, from which it can be asked for again.

The previous release can't show an import in that state; it works for all others.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0026_end_failed_withdrawals"
down_revision: str | None = "0025_date_grades_of_inspections"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = "'queued', 'running', 'succeeded', 'failed', 'cancelled', 'withdrawing', 'withdrawn'"


def upgrade() -> None:
    """Widen the states."""
    _states(f"{STATES}, 'not_withdrawn'")


def downgrade() -> None:
    """Narrow them; what wasn't withdrawn counts as an import that succeeded."""
    op.execute("update academy.import set state = 'succeeded' where state = 'not_withdrawn'")
    _states(STATES)


def _states(states: str) -> None:
    op.execute("alter table academy.import drop constraint import_state")
    op.execute(f"alter table academy.import add constraint import_state check (state in ({states}))")
