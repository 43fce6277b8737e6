"""Let two transactions with a grant for the whole trust write the same row, one after the other.

The second waits, and then has the policies read again for the row as the first left it. The list of academies was
read then too, and '*' is none: the second failed. New installations have had the rule as it is here from the start.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0010_recheck_whole_grants"
down_revision: str | None = "0009_keep_why_overrides_ended"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

WHOLE = "current_setting('app.academies', true) = '*'"
URNS = "(select string_to_array(nullif(nullif(current_setting('app.academies', true), ''), '*'), ',')::int[])"
RULES = {
    "observation": f"{WHOLE} or urn = any({URNS}::int[])",
    "rating": f"{WHOLE} or urn = any({URNS}::int[])",
    "moderation": f"{WHOLE} or urn = any({URNS}::int[])",
    "rag_status": f"{WHOLE} or urn = any({URNS}::int[])",
    "import": f"{WHOLE} or academies <@ {URNS}",
}


def upgrade() -> None:
    """Write the rules anew."""
    for table, rule in RULES.items():
        op.execute(f"alter policy academies on academy.{table} using ({rule}) with check ({rule})")


def downgrade() -> None:
    """Leave them: they say the same."""
