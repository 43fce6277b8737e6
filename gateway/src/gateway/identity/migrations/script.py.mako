"""${message[:1].upper() + message[1:]}.

Safe with the previous release? (delete this list once you have read it)
- Add, backfill, enforce: a new column is nullable or has a constant default; NOT NULL comes in a later migration.
- A check or foreign key is added NOT VALID first and validated in a migration of its own.
- An index on a table that already holds rows: `with op.get_context().autocommit_block():` and CONCURRENTLY.
- Drop a column one release after its last read; never rename in one step.
- A tenant table leads with trust_id in its key, in every index and every foreign key. Its policies are rendered from
  `__access__` on its class; a test compares class and database.
- Backfills run as trellis_migrator and see every trust's rows; batch them (lock timeout 5 s, statements 15 min).
- `oldest_code` names the oldest code that still works after this migration, by the newest migration that it came with:
  running processes of it stay ready during an upgrade. Name that of the last release if it does; the migration itself
  if no older code works.
- No application imports: a migration must not change when the code does.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = "${up_revision}"
down_revision: str | None = ${'"%s"' % down_revision if down_revision else None}
oldest_code: str = ${'"%s"' % (down_revision or up_revision)}
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """What this adds."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """What this takes back."""
    ${downgrades if downgrades else "pass"}
