"""List inspections of many academies, the newest first.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0023_list_inspections"
down_revision: str | None = "0022_announce_to_every_trust"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """The index."""
    op.execute("create index inspection_newest on academy.inspection (inspected_on, id)")


def downgrade() -> None:
    """Drop it."""
    op.execute("drop index academy.inspection_newest")
