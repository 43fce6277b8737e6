"""Keep the day of each grade of an inspection, and the category that a school is in now.

Safe with the previous release, which leaves both empty.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0025_date_grades_of_inspections"
down_revision: str | None = "0024_whole_trust_writes"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns."""
    op.execute("alter table academy.inspection add column graded_on jsonb, add column latest_category_of_concern text")


def downgrade() -> None:
    """Drop them."""
    op.execute("alter table academy.inspection drop column graded_on, drop column latest_category_of_concern")
