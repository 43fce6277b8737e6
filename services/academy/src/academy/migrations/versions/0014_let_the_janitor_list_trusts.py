"""Let the janitor list trusts: scheduled work is queued for each of them.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import janitor_lists_trusts

revision: str = "0014_let_the_janitor_list_trusts"
down_revision: str | None = "0013_create_shared_links"
oldest_code: str = "0013_create_shared_links"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Let it see ids of trusts, and nothing else."""
    for statement in janitor_lists_trusts("academy", "rated_trust"):
        op.execute(statement)


def downgrade() -> None:
    """Take that back."""
    op.execute("revoke select (trust_id) on academy.rated_trust from academy_janitor")
    op.execute("drop policy academy_janitor_lists on academy.rated_trust")
