"""Name who got a client's secret when it was made: they know it, and may give the client no more than they have."""

from collections.abc import Sequence

from alembic import op

revision: str = "0008_name_who_got_a_secret"
down_revision: str | None = "0007_place_late_events"
oldest_code: str = "0003_create_holders_and_grants"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Empty for the secrets that there are: of those only who registered the client is known."""
    op.execute("alter table identity.client_secret add column created_by text")


def downgrade() -> None:
    """The secrets go on."""
    op.execute("alter table identity.client_secret drop column created_by")
