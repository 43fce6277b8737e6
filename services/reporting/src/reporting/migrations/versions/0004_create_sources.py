"""Create the read models of trusts and academies, made from the feeds of identity and academy."""

from collections.abc import Sequence

from alembic import op

from kit.schema.following import drop_read_model, read_model

revision: str = "0004_create_sources"
down_revision: str | None = "0003_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TRUST = "group_uid text not null, name text not null, is_active boolean not null, primary key (trust_id)"
ACADEMY = """
    urn integer not null, is_member boolean not null, joined_on date not null, left_on date,
    name text, phase text, local_authority text, primary key (trust_id, urn)
"""


def upgrade() -> None:
    """Create them."""
    for statement in (
        *read_model("reporting", "identity", "trusts", [("known_trust", TRUST)]),
        *read_model(
            "reporting",
            "academy",
            "academies",
            [("known_academy", ACADEMY)],
            academy_columns={"known_academy": "urn"},
        ),
    ):
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for statement in (
        *drop_read_model("reporting", "academy", "academies", ["known_academy"]),
        *drop_read_model("reporting", "identity", "trusts", ["known_trust"]),
    ):
        op.execute(statement)
