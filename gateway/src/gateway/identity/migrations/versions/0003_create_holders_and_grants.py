"""Create what belongs to a trust: clients with their secrets, people, grants; and the look-up of sign-ins."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import tenant_table_policies

revision: str = "0003_create_holders_and_grants"
down_revision: str | None = "0002_create_tenants_and_keys"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATEMENTS = (
    """
create table identity.client (
    trust_id uuid not null,
    id uuid not null,
    name text not null,
    kind text not null,
    is_active boolean not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    version integer not null,
    primary key (trust_id, id),
    constraint client_kind check (kind in ('confidential', 'public'))
)""",
    """
create unique index client_name_key on identity.client (trust_id, lower(name))
    where deleted_at is null""",
    """
create table identity.client_secret (
    trust_id uuid not null,
    client_id uuid not null,
    hint text not null,
    hash text not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    last_used_on date,
    primary key (trust_id, client_id, hint),
    constraint client_secret_client_fkey foreign key (trust_id, client_id)
        references identity.client (trust_id, id) on delete cascade
)""",
    """
create table identity.person (
    trust_id uuid not null,
    id uuid not null,
    display_name text,
    email text,
    issuer text,
    subject text,
    is_active boolean not null,
    created_at timestamptz not null,
    created_by text not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    version integer not null,
    primary key (trust_id, id),
    constraint person_account_is_whole check ((issuer is null) = (subject is null)),
    constraint person_can_sign_in check (deleted_at is not null or subject is not null or email is not null),
    constraint person_deleted_is_erased check (
        deleted_at is null or (display_name is null and email is null and subject is null))
)""",
    "create unique index person_account_key on identity.person (trust_id, issuer, subject)",
    "create unique index person_email_key on identity.person (trust_id, lower(email))",
    """
create table identity.role_grant (
    trust_id uuid not null,
    id uuid not null,
    role text not null,
    person_id uuid,
    client_id uuid,
    extent text not null,
    academies integer[],
    project_id uuid,
    starts_on date not null,
    ends_on date,
    created_at timestamptz not null,
    created_by text not null,
    ended_at timestamptz,
    ended_by text,
    version integer not null,
    primary key (trust_id, id),
    constraint role_grant_person_fkey foreign key (trust_id, person_id)
        references identity.person (trust_id, id),
    constraint role_grant_client_fkey foreign key (trust_id, client_id)
        references identity.client (trust_id, id),
    constraint role_grant_one_holder check ((person_id is null) <> (client_id is null)),
    constraint role_grant_extent check (extent in ('trust', 'academies', 'project')),
    constraint role_grant_academies check (
        (extent = 'academies') = (academies is not null) and coalesce(cardinality(academies), 1) > 0),
    constraint role_grant_project check ((extent = 'project') = (project_id is not null)),
    constraint role_grant_days check (ends_on >= starts_on),
    constraint role_grant_ended_by_somebody check ((ended_at is null) = (ended_by is null))
)""",
    "create index role_grant_person on identity.role_grant (trust_id, person_id)",
    "create index role_grant_client on identity.role_grant (trust_id, client_id)",
    # Read before the trust is known; it holds keyed digests and ids, no name and no address.
    """
create table identity.sign_in (
    digest bytea not null,
    trust_id uuid not null,
    person_id uuid not null,
    primary key (digest, trust_id),
    constraint sign_in_person_fkey foreign key (trust_id, person_id)
        references identity.person (trust_id, id) on delete cascade
)""",
    "create index sign_in_person on identity.sign_in (trust_id, person_id)",
    *tenant_table_policies("identity", "client", academy_column=None, grants=("select", "insert", "update")),
    *tenant_table_policies("identity", "client_secret", academy_column=None),
    *tenant_table_policies("identity", "person", academy_column=None, grants=("select", "insert", "update")),
    # A grant is never altered but for its end, and never removed: it says who could do what when.
    *tenant_table_policies("identity", "role_grant", academy_column=None, grants=("select", "insert")),
    "grant update (ended_at, ended_by, version) on identity.role_grant to identity_app",
    "grant select, insert, delete on identity.sign_in to identity_app",
)


def upgrade() -> None:
    """Create the tables with their row-level security."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("sign_in", "role_grant", "person", "client_secret", "client"):
        op.execute(f"drop table identity.{table}")
