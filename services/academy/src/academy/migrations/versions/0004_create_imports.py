"""Create imports: the files that were sent, in chunks, and what came of them."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import reference_table_grants, tenant_table_policies

revision: str = "0004_create_imports"
down_revision: str | None = "0003_create_observations"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATEMENTS = (
    """
create table academy.import (
    trust_id uuid not null,
    id uuid not null,
    kind text not null,
    academic_year text,
    release text not null,
    dry_run boolean not null,
    state text not null,
    content_type text not null,
    is_gzipped boolean not null,
    sha256 text not null,
    size_bytes bigint not null,
    rows_read bigint not null default 0,
    rows_accepted bigint not null default 0,
    rows_ignored bigint not null default 0,
    comparison_rows bigint not null default 0,
    rows_new bigint not null default 0,
    rows_changed bigint not null default 0,
    rows_unchanged bigint not null default 0,
    errors jsonb not null default '[]'::jsonb,
    errors_total bigint not null default 0,
    warnings jsonb not null default '[]'::jsonb,
    progress_percent integer not null default 0,
    academies integer[],
    created_by text not null,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    version integer not null default 1,
    primary key (trust_id, id),
    constraint import_state check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    constraint import_release check (release in ('provisional', 'revised', 'final')),
    constraint import_progress check (progress_percent between 0 and 100),
    constraint import_finished_when_ended check ((finished_at is null) = (state in ('queued', 'running')))
)""",
    "create index import_created_at_idx on academy.import (trust_id, created_at, id)",
    """
create table academy.import_chunk (
    trust_id uuid not null,
    import_id uuid not null,
    number integer not null,
    content bytea not null,
    primary key (trust_id, import_id, number),
    constraint import_chunk_import_fkey foreign key (trust_id, import_id)
        references academy.import (trust_id, id)
)""",
    "alter table academy.import_chunk alter column content set storage external",
    """
create table academy.import_notice (
    trust_id uuid not null,
    import_id uuid not null,
    told_at timestamptz not null,
    primary key (trust_id, import_id)
)""",
    """
create table academy.reference_load (
    import_id uuid primary key,
    kind text not null,
    rows_new bigint not null,
    rows_changed bigint not null,
    rows_unchanged bigint not null,
    affected_trusts uuid[] not null,
    recorded_at timestamptz not null
)""",
    *tenant_table_policies("academy", "import", academy_column=None),
    *tenant_table_policies("academy", "import_chunk", academy_column=None),
    *tenant_table_policies("academy", "import_notice", academy_column=None),
    *reference_table_grants("academy", "reference_load"),
)


def upgrade() -> None:
    """Create the tables, and the row-level security of those that belong to a trust."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("reference_load", "import_notice", "import_chunk", "import"):
        op.execute(f"drop table academy.{table}")
