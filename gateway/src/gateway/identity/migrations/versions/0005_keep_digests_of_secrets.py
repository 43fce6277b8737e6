"""Keep a digest of each client's secret, by which it is checked without a costly hash."""

from collections.abc import Sequence

from alembic import op

revision: str = "0005_keep_digests_of_secrets"
down_revision: str | None = "0004_erase_people_from_histories"
oldest_code: str = "0003_create_holders_and_grants"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Empty for the secrets that there are: it follows when one is used."""
    op.execute("alter table identity.client_secret add column digest bytea")


def downgrade() -> None:
    """The hashes remain, so every secret goes on."""
    op.execute("alter table identity.client_secret drop column digest")
