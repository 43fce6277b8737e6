"""Create the register: schools and their links, trusts and memberships, inspections."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import reference_table_grants

revision: str = "0002_create_register"
down_revision: str | None = "0001_create_kit_tables"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = ("school", "school_link", "trust_register", "membership", "inspection")

DDL = """
create table academy.school (
    urn integer primary key,
    name text not null,
    ukprn text,
    laestab text,
    la_code text,
    la_name text,
    type_code text,
    type_name text,
    phase text,
    status text not null,
    opened_on date,
    closed_on date,
    low_age integer,
    high_age integer,
    pupils integer,
    capacity integer,
    town text,
    postcode text,
    region text,
    is_registered boolean not null default true,
    source text,
    updated_at timestamptz not null,
    version integer not null default 1,
    constraint school_urn_range check (urn between 1 and 9999999),
    constraint school_phase check (phase in (
        'nursery', 'primary', 'secondary', 'all_through', 'sixteen_plus', 'special',
        'alternative_provision')),
    constraint school_status check (status in (
        'open', 'closed', 'proposed_to_open', 'proposed_to_close', 'unknown'))
);
create index school_name_idx on academy.school (name, urn);
create index school_ukprn_idx on academy.school (ukprn);
create index school_laestab_idx on academy.school (laestab);
create index school_la_code_idx on academy.school (la_code, urn);
create index school_updated_at_idx on academy.school (updated_at, urn);

create table academy.school_link (
    urn integer not null,
    linked_urn integer not null,
    link_type text not null,
    established_on date,
    import_id uuid,
    primary key (urn, linked_urn, link_type)
);
create index school_link_linked_urn_idx on academy.school_link (linked_urn);

create table academy.trust_register (
    id uuid primary key,
    group_uid text not null,
    group_id text,
    name text not null,
    kind text not null,
    companies_house_number text,
    ukprn text,
    status text not null,
    opened_on date,
    closed_on date,
    updated_at timestamptz not null,
    version integer not null default 1
);
create index trust_register_name_idx on academy.trust_register (name, id);
create unique index trust_register_group_uid_key on academy.trust_register (group_uid);
create index trust_register_group_id_idx on academy.trust_register (group_id);
create index trust_register_updated_at_idx on academy.trust_register (updated_at, id);

create table academy.membership (
    id uuid primary key default uuidv7(),
    urn integer not null,
    register_id uuid not null references academy.trust_register (id),
    joined_on date not null,
    left_on date,
    import_id uuid,
    recorded_at timestamptz not null,
    superseded_at timestamptz,
    constraint membership_left_after_joined check (left_on is null or left_on >= joined_on),
    constraint membership_superseded_after_recorded check (superseded_at >= recorded_at)
);
create unique index membership_key on academy.membership (urn, register_id, joined_on, superseded_at)
    nulls not distinct;
create index membership_register_id_idx on academy.membership (register_id, urn);
create index membership_import_id_idx on academy.membership (import_id);

create table academy.inspection (
    id uuid primary key default uuidv7(),
    urn integer not null,
    inspected_on date not null,
    published_on date,
    kind text not null,
    overall_grade text,
    category_of_concern text,
    judgements jsonb not null default '{}'::jsonb,
    safeguarding text,
    source text,
    import_id uuid,
    recorded_at timestamptz not null,
    superseded_at timestamptz,
    constraint inspection_kind check (kind in ('overall_grade', 'ungraded', 'report_card'))
);
create unique index inspection_key on academy.inspection (urn, inspected_on, kind, superseded_at)
    nulls not distinct;
"""


def upgrade() -> None:
    """Create the tables; the loader writes them, the service reads them."""
    for statement in DDL.split(";"):
        if statement.strip():
            op.execute(statement)
    for table in TABLES:
        for statement in reference_table_grants("academy", table):
            op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("inspection", "membership", "trust_register", "school_link", "school"):
        op.execute(f"drop table academy.{table}")
