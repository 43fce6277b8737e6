"""Create what follows other services' feeds: followers' places, and who holds a right at identity."""

from collections.abc import Sequence

from alembic import op

from kit.schema.following import drop_follower_table, drop_grants_read_model, follower_table, grants_read_model

revision: str = "0015_create_followers"
down_revision: str | None = "0014_let_the_janitor_list_trusts"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create them."""
    for statement in (*follower_table("academy"), *grants_read_model("academy")):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for statement in (*drop_grants_read_model("academy"), *drop_follower_table("academy")):
        op.execute(statement)
