"""Let imports be taken back: two more states, who did it and why, and the receipts of it.

The previous release can't show an import that was taken back; it works for all others.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0020_withdraw_imports"
down_revision: str | None = "0019_create_posts"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = "'queued', 'running', 'succeeded', 'failed', 'cancelled'"


def upgrade() -> None:
    """Widen the states, add the columns."""
    op.execute("""
        alter table academy.import
            add column withdrawn_at timestamptz,
            add column withdrawn_by text,
            add column withdrawn_as text,
            add column withdrawal_reason text
    """)
    _states(f"{STATES}, 'withdrawing', 'withdrawn'")
    op.execute("alter table academy.import_notice add column withdrawal_announced_at timestamptz")
    op.execute("""
        alter table academy.reference_load
            add column withdrawn_at timestamptz,
            add column figures_restored bigint not null default 0,
            add column figures_withdrawn bigint not null default 0
    """)


def downgrade() -> None:
    """Drop them; a withdrawn import counts as one that succeeded."""
    op.execute("""
        alter table academy.reference_load
            drop column withdrawn_at, drop column figures_restored, drop column figures_withdrawn
    """)
    op.execute("alter table academy.import_notice drop column withdrawal_announced_at")
    op.execute("update academy.import set state = 'succeeded' where state in ('withdrawing', 'withdrawn')")
    _states(STATES)
    op.execute("""
        alter table academy.import
            drop column withdrawn_at, drop column withdrawn_by, drop column withdrawn_as, drop column withdrawal_reason
    """)


def _states(states: str) -> None:
    op.execute("alter table academy.import drop constraint import_state")
    op.execute(f"alter table academy.import add constraint import_state check (state in ({states}))")
