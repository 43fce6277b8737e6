"""Create the figures: those of every school, those to compare with, and those of a trust alone."""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import reference_table_grants, tenant_table_policies

revision: str = "0003_create_observations"
down_revision: str | None = "0002_create_register"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

FIGURE = """
    measure text collate "C" not null,
    pupil_group text collate "C" not null,
    academic_year text collate "C" not null,
    period text collate "C" not null,
    release text collate "C" not null,
    value numeric,
    reason text collate "C",
"""

SCHOOL_FIGURE = f"""
    urn integer not null,
    {FIGURE}
    lower numeric,
    upper numeric,
    cohort integer,
    published_band text collate "C",
"""

RECORD = """
    source text not null,
    import_id uuid not null,
    recorded_at timestamptz not null,
    superseded_at timestamptz,
"""

RELEASES = "release in ('provisional', 'revised', 'final')"

STATEMENTS = (
    f"""
create table academy.reference_observation (
    id uuid primary key default uuidv7(),
    {SCHOOL_FIGURE}
    {RECORD}
    constraint reference_observation_value_or_reason check ((value is null) <> (reason is null)),
    constraint reference_observation_interval check (lower <= upper),
    constraint reference_observation_cohort check (cohort >= 0),
    constraint reference_observation_release check ({RELEASES})
)""",
    """
create unique index reference_observation_key on academy.reference_observation
    (urn, measure, academic_year, pupil_group, period, release, superseded_at) nulls not distinct""",
    "create index reference_observation_import_id_idx on academy.reference_observation (import_id)",
    f"""
create table academy.comparison_figure (
    id uuid primary key default uuidv7(),
    area text collate "C" not null,
    area_code text collate "C" not null,
    sector text collate "C" not null,
    phase text collate "C" not null,
    {FIGURE}
    {RECORD}
    constraint comparison_figure_value_or_reason check ((value is null) <> (reason is null)),
    constraint comparison_figure_area check (area in ('england', 'region', 'la')),
    constraint comparison_figure_sector check (sector in ('state_funded', 'all')),
    constraint comparison_figure_release check ({RELEASES})
)""",
    """
create unique index comparison_figure_key on academy.comparison_figure
    (measure, academic_year, area, area_code, sector, phase, pupil_group, period, release, superseded_at)
    nulls not distinct""",
    "create index comparison_figure_import_id_idx on academy.comparison_figure (import_id)",
    f"""
create table academy.observation (
    trust_id uuid not null,
    id uuid not null default uuidv7(),
    {SCHOOL_FIGURE}
    {RECORD}
    primary key (trust_id, id),
    constraint observation_value_or_reason check ((value is null) <> (reason is null)),
    constraint observation_interval check (lower <= upper),
    constraint observation_cohort check (cohort >= 0),
    constraint observation_release check ({RELEASES})
)""",
    """
create unique index observation_key on academy.observation
    (trust_id, urn, measure, academic_year, pupil_group, period, release, superseded_at)
    nulls not distinct""",
    # Rows lie in the order in which they were told, so that a summary of each range of pages finds what is new; a
    # B-tree would cost a fifth of every load.
    """
create index observation_recorded_at_idx on academy.observation using brin (trust_id, recorded_at)
    with (autosummarize = on)""",
    *reference_table_grants("academy", "reference_observation"),
    *reference_table_grants("academy", "comparison_figure"),
    *tenant_table_policies("academy", "observation", academy_column="urn"),
)


def upgrade() -> None:
    """Create the tables, and the row-level security of the trust's own."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop them again."""
    for table in ("observation", "comparison_figure", "reference_observation"):
        op.execute(f"drop table academy.{table}")
