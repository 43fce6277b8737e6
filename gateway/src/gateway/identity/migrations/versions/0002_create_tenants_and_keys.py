"""Create the platform's own rows: tenants, signing keys, failed attempts.

They belong to no trust and have no row-level security: each is read before it is known whose request this is.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002_create_tenants_and_keys"
down_revision: str | None = "0001_create_kit_tables"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATEMENTS = (
    """
create table identity.tenant (
    id uuid primary key,
    group_uid text not null,
    group_id text,
    name text not null,
    is_active boolean not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    version integer not null,
    constraint tenant_group_uid_key unique (group_uid),
    constraint tenant_group_id_key unique (group_id)
)""",
    "grant select, insert, update on identity.tenant to identity_app",
    """
create table identity.signing_key (
    kid text primary key,
    public_key jsonb not null,
    private_key bytea not null,
    published_at timestamptz not null,
    signs_from timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    constraint signing_key_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null))
)""",
    "grant select, insert, update, delete on identity.signing_key to identity_app",
    """
create table identity.failed_attempt (
    kind text not null,
    digest bytea not null,
    failures integer not null,
    last_failed_at timestamptz not null,
    blocked_until timestamptz not null,
    primary key (kind, digest)
)""",
    "create index failed_attempt_age on identity.failed_attempt (last_failed_at)",
    "grant select, insert, update, delete on identity.failed_attempt to identity_app",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("failed_attempt", "signing_key", "tenant"):
        op.execute(f"drop table identity.{table}")
