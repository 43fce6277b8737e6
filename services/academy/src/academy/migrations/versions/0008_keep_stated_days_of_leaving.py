"""Keep the day of leaving that the register states beside the one that counts, and let days to come come.

Where an academy's next trust began on the very day on which it left, that day followed from joining it.

A rating that waited for a day to come used to hold the lock of its trust, so that nothing else of the trust was done
until then.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0008_keep_stated_days_of_leaving"
down_revision: str | None = "0007_limit_imports_to_academies"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATEMENTS = (
    "alter table academy.membership add column stated_left_on date",
    """
update academy.membership m set stated_left_on = m.left_on
where m.left_on is not null and not exists (
    select 1 from academy.membership n
    where n.urn = m.urn and n.register_id <> m.register_id and n.joined_on = m.left_on)
""",
    # procrastinate's own triggers name its tables without their schema.
    "set local search_path = academy, pg_temp",
    """
update academy.procrastinate_jobs set lock = null
where task_name = 'academy.ratings.rerate' and status = 'todo' and scheduled_at is not null
""",
    "set local search_path = public, pg_temp",
)


def upgrade() -> None:
    """Add the column, fill it, and take the lock from what waits for a day."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop the column again."""
    op.execute("alter table academy.membership drop column stated_left_on")
