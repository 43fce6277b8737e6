"""Let people be erased from histories: their subject gives way to a pseudonym, and nothing else changes."""

from collections.abc import Sequence

from alembic import op

from kit.schema.people import drop_erasable, erasable

revision: str = "0004_erase_people_from_histories"
down_revision: str | None = "0003_create_holders_and_grants"
oldest_code: str = "0003_create_holders_and_grants"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Grant it, and refuse every other change."""
    for statement in erasable("identity", "event"):
        op.execute(statement)
    op.execute("grant update (created_by) on identity.role_grant to identity_app")
    op.execute(
        "create trigger only_erases before update of created_by on identity.role_grant"
        " for each row execute function identity.only_erases()"
    )


def downgrade() -> None:
    """Take it back."""
    op.execute("drop trigger only_erases on identity.role_grant")
    op.execute("revoke update (created_by) on identity.role_grant from identity_app")
    for statement in drop_erasable("identity", "event"):
        op.execute(statement)
