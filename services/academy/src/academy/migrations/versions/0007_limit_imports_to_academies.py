"""Show an import only to callers whose grant covers all that it could write.

An import's errors quote cells of its file. A caller with a grant for some academies sees the imports that were made
under those academies, not the ones of the whole trust.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0007_limit_imports_to_academies"
down_revision: str | None = "0006_create_ratings"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COVERED = """
    current_setting('app.academies', true) = '*'
    or academies <@ (select string_to_array(nullif(current_setting('app.academies', true), ''), ',')::int[])
"""


def upgrade() -> None:
    """Add the restrictive policy."""
    op.execute(
        "create policy academies on academy.import as restrictive to academy_app"
        f" using ({COVERED}) with check ({COVERED})"
    )


def downgrade() -> None:
    """Drop it again."""
    op.execute("drop policy academies on academy.import")
