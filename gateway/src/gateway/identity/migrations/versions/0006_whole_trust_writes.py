"""Let only a grant for the whole trust write clients, people and grants.

Safe with the previous release: it gives nobody who may write them less than the whole trust.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import whole_trust_writes

revision: str = "0006_whole_trust_writes"
down_revision: str | None = "0005_keep_digests_of_secrets"
oldest_code: str = "0003_create_holders_and_grants"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("client", "client_secret", "person", "role_grant")


def upgrade() -> None:
    """Add the restrictive policies."""
    for table in TABLES:
        for statement in whole_trust_writes("identity", table, None):
            op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in TABLES:
        for command in ("insert", "update", "delete"):
            op.execute(f"drop policy whole_trust_{command}s on identity.{table}")
