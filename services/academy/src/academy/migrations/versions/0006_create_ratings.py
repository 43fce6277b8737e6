"""Create the ratings: computed ones that never change, people's overrides, and what is told now."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import tenant_table_policies

revision: str = "0006_create_ratings"
down_revision: str | None = "0005_create_criteria"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

COLOURS = "'red', 'amber', 'green'"

STATEMENTS = (
    f"""
create table academy.rating (
    trust_id uuid not null,
    id uuid not null,
    urn integer not null,
    phase text not null,
    criteria_set_id uuid not null,
    status text not null,
    step jsonb,
    counts jsonb not null,
    assessed_percent numeric not null,
    points_percent numeric,
    limited_by text[] not null,
    why text not null,
    criteria jsonb not null,
    content_sha256 bytea not null,
    data_as_at timestamptz,
    rated_at timestamptz not null,
    primary key (trust_id, id),
    constraint rating_criteria_set_fkey foreign key (trust_id, criteria_set_id)
        references academy.criteria_set (trust_id, id),
    constraint rating_status check (status in ({COLOURS}, 'not_assessed')),
    constraint rating_step_when_coloured check ((step is null) = (status = 'not_assessed'))
)""",
    "create index rating_newest on academy.rating (trust_id, urn, rated_at desc, id desc)",
    f"""
create table academy.moderation (
    trust_id uuid not null,
    id uuid not null,
    urn integer not null,
    rating_id uuid not null,
    status text not null,
    step jsonb not null,
    computed_status text not null,
    reason text not null,
    evidence_url text not null,
    lapses_on date not null,
    made_at timestamptz not null,
    made_by text not null,
    ended_at timestamptz,
    ended_by text,
    ended_how text,
    version integer not null default 1,
    primary key (trust_id, id),
    constraint moderation_rating_fkey foreign key (trust_id, rating_id) references academy.rating (trust_id, id),
    constraint moderation_status check (status in ({COLOURS})),
    constraint moderation_reason check (length(btrim(reason)) > 0),
    constraint moderation_ended_how check (ended_how in ('withdrawn', 'lapsed', 'replaced', 'left')),
    constraint moderation_ended check ((ended_at is null) = (ended_how is null))
)""",
    "create unique index moderation_one_in_force on academy.moderation (trust_id, urn) where ended_at is null",
    "create index moderation_newest on academy.moderation (trust_id, urn, made_at desc, id desc)",
    # What is told of each academy now, and since when; a row that was left behind is a tombstone.
    """
create table academy.rag_status (
    trust_id uuid not null,
    urn integer not null,
    phase text,
    rating_id uuid,
    moderation_id uuid,
    changed_at timestamptz not null,
    left_at timestamptz,
    primary key (trust_id, urn),
    constraint rag_status_rating_fkey foreign key (trust_id, rating_id) references academy.rating (trust_id, id),
    constraint rag_status_moderation_fkey foreign key (trust_id, moderation_id)
        references academy.moderation (trust_id, id)
)""",
    "create index rag_status_changed on academy.rag_status (trust_id, changed_at)",
    # One number a trust, raised with every change of what its lists say: prepared answers are held against it.
    """
create table academy.rag_version (
    trust_id uuid primary key,
    version bigint not null
)""",
    # The newest year loaded for a measure is asked at every rating, whichever schools it is of.
    "create index reference_observation_newest on academy.reference_observation (measure, academic_year)",
    *tenant_table_policies("academy", "rating", academy_column="urn", grants=("select", "insert")),
    *tenant_table_policies("academy", "moderation", academy_column="urn", grants=("select", "insert", "update")),
    *tenant_table_policies("academy", "rag_status", academy_column="urn"),
    *tenant_table_policies("academy", "rag_version", academy_column=None, grants=("select", "insert", "update")),
)


def upgrade() -> None:
    """Create the tables and their row-level security."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    op.execute("drop index academy.reference_observation_newest")
    for table in ("rag_version", "rag_status", "moderation", "rating"):
        op.execute(f"drop table academy.{table}")
