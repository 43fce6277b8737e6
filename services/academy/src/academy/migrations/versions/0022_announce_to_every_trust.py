"""Let the loader see which trusts have grants: national imports are announced to all of them, not to rated ones alone.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0022_announce_to_every_trust"
down_revision: str | None = "0021_find_figures_by_time"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SIDES = ("a", "b")


def upgrade() -> None:
    """Let it see ids of trusts, and nothing else."""
    for side in SIDES:
        table = f"academy.identity_grant_{side}"
        op.execute(f"create policy academy_loader_lists on {table} for select to academy_loader using (true)")
        op.execute(f"grant select (trust_id) on {table} to academy_loader")


def downgrade() -> None:
    """Take that back."""
    for side in SIDES:
        table = f"academy.identity_grant_{side}"
        op.execute(f"revoke select (trust_id) on {table} from academy_loader")
        op.execute(f"drop policy academy_loader_lists on {table}")
