"""Let only a grant for the whole trust write what belongs to all of it.

Every caller of the trust still reads these rows. Parts of an uploaded file are visible where their import is, and the
notes that a national import was announced under a grant for the whole trust.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import WHOLE_TRUST, whole_trust_writes

revision: str = "0024_whole_trust_writes"
down_revision: str | None = "0023_list_inspections"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = {"criteria_set": None, "rated_trust": None, "post": "urn", "term": "urn", "stored_file": "urn"}
PARENT = (
    "exists (select from academy.import p where p.trust_id = import_chunk.trust_id and p.id = import_chunk.import_id)"
)


def upgrade() -> None:
    """Add the restrictive policies."""
    for table, column in TABLES.items():
        for statement in whole_trust_writes("academy", table, column):
            op.execute(statement)
    _restrict("import_chunk", "parent", PARENT)
    _restrict("import_notice", "whole_trust", WHOLE_TRUST)


def downgrade() -> None:
    """Drop them again."""
    for table in TABLES:
        for command in ("insert", "update", "delete"):
            op.execute(f"drop policy whole_trust_{command}s on academy.{table}")
    op.execute("drop policy parent on academy.import_chunk")
    op.execute("drop policy whole_trust on academy.import_notice")


def _restrict(table: str, name: str, rule: str) -> None:
    op.execute(
        f"create policy {name} on academy.{table} as restrictive to academy_app using ({rule}) with check ({rule})"
    )
