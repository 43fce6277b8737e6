"""Create the criteria sets: the rules by which a trust colours its academies."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import reader_policy, tenant_table_policies

revision: str = "0005_create_criteria"
down_revision: str | None = "0004_create_imports"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATEMENTS = (
    """
create table academy.criteria_set (
    trust_id uuid not null,
    id uuid not null,
    phase text not null,
    title text not null,
    number integer not null,
    state text not null,
    rules jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    published_at timestamptz,
    published_by text,
    retired_at timestamptz,
    version integer not null default 1,
    primary key (trust_id, id),
    constraint criteria_set_number unique (trust_id, phase, number),
    constraint criteria_set_phase check (phase in ('nursery', 'primary', 'secondary', 'all_through',
        'sixteen_plus', 'special', 'alternative_provision')),
    constraint criteria_set_state check (state in ('draft', 'published', 'retired')),
    constraint criteria_set_published check ((published_at is null) = (state = 'draft')),
    constraint criteria_set_retired check ((retired_at is not null) = (state = 'retired'))
)""",
    """
create unique index criteria_set_one_published on academy.criteria_set (trust_id, phase)
    where state = 'published'""",
    # What a rating was decided by must read the same for ever, whatever a program does wrong later.
    """
create function academy.criteria_set_is_fixed() returns trigger language plpgsql
    set search_path = pg_catalog as $$
    begin
        if old.state = 'draft' then
            return case when tg_op = 'DELETE' then old else new end;
        end if;
        if tg_op = 'DELETE' or (new.rules, new.title, new.phase, new.number, new.published_at)
            is distinct from (old.rules, old.title, old.phase, old.number, old.published_at)
            or not (new.state = old.state or (old.state = 'published' and new.state = 'retired'))
        then
            raise exception 'a criteria set that was published never changes' using errcode = 'restrict_violation';
        end if;
        return new;
    end $$""",
    """
create trigger criteria_set_is_fixed before update or delete on academy.criteria_set
    for each row execute function academy.criteria_set_is_fixed()""",
    # Which trusts rate their academies: the loader asks this, and nothing else, of a trust's own data.
    """
create table academy.rated_trust (
    trust_id uuid primary key,
    since timestamptz not null
)""",
    *tenant_table_policies("academy", "criteria_set", academy_column=None),
    *tenant_table_policies("academy", "rated_trust", academy_column=None, grants=("select", "insert")),
    *reader_policy("academy", "rated_trust", "academy_loader"),
)


def upgrade() -> None:
    """Create the tables, their row-level security and the trigger that keeps published sets as they are."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    op.execute("drop table academy.rated_trust")
    op.execute("drop table academy.criteria_set")
    op.execute("drop function academy.criteria_set_is_fixed()")
