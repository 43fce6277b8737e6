"""Let a trust erase a figure of its own from its history: what is erased, by whom and why stays, the value doesn't.

Ratings and events that were written once may lose the values of an erased figure, and nothing else of them may change.
Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

from kit.schema.ddl import tenant_table_policies

revision: str = "0028_erase_figures"
down_revision: str | None = "0027_place_late_events"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = """
    create table academy.observation_erasure (
        trust_id uuid not null,
        id uuid not null,
        observation_id uuid not null,
        urn integer not null,
        measure text not null,
        pupil_group text not null,
        academic_year text not null,
        period text not null,
        reason text not null constraint observation_erasure_reason check (length(btrim(reason)) > 0),
        erased_at timestamptz not null,
        erased_by text not null,
        erased_as text not null,
        figures integer not null,
        ratings integer not null,
        events integer not null,
        files integer not null,
        primary key (trust_id, id)
    )
"""

RATING_TRIGGER = """
    create function academy.rating_only_erases() returns trigger language plpgsql set search_path = pg_catalog as $$
        declare
            erasable constant text[] := array['value', 'reason', 'interval', 'cohort', 'comparison', 'sentence'];
        begin
            if (to_jsonb(new) - 'criteria' - 'content_sha256') <> (to_jsonb(old) - 'criteria' - 'content_sha256')
                or jsonb_array_length(new.criteria) <> jsonb_array_length(old.criteria)
                or exists (
                    select from jsonb_array_elements(old.criteria) with ordinality o (c, place)
                    join jsonb_array_elements(new.criteria) with ordinality n (c, place) using (place)
                    where o.c <> n.c and (n.c ->> 'reason' is distinct from 'erased' or n.c -> 'value' <> 'null'::jsonb
                        or (n.c - erasable) <> (o.c - erasable)))
            then
                raise exception 'a rating changes only where a figure is erased' using errcode = 'restrict_violation';
            end if;
            return new;
        end $$
"""

EVENT_TRIGGER = """
    create function academy.event_only_erases() returns trigger language plpgsql set search_path = pg_catalog as $$
        declare
            subject constant text := '"(person:[^"]*|erased:[0-9a-f]{32})"';
            before jsonb := to_jsonb(old);
            after jsonb := to_jsonb(new);
        begin
            if old.type = 'org.trellis.academy.rating.computed.v1'
                and jsonb_array_length(old.data -> 'criteria') = jsonb_array_length(new.data -> 'criteria')
            then
                -- The value of an erased figure isn't compared; everything beside it is.
                select jsonb_set(before, '{data,criteria}', coalesce(jsonb_agg(case when n.c ->> 'reason' = 'erased'
                        then o.c - 'value' - 'reason' else o.c end order by place), '[]')),
                    jsonb_set(after, '{data,criteria}', coalesce(jsonb_agg(case when n.c ->> 'reason' = 'erased'
                        and n.c -> 'value' = 'null'::jsonb then n.c - 'value' - 'reason' else n.c end
                        order by place), '[]'))
                into before, after
                from jsonb_array_elements(old.data -> 'criteria') with ordinality o (c, place)
                join jsonb_array_elements(new.data -> 'criteria') with ordinality n (c, place) using (place);
            end if;
            if regexp_replace(after::text, subject, '""', 'g') <> regexp_replace(before::text, subject, '""', 'g')
                or exists (select m from regexp_matches(after::text, '"person:[^"]*"', 'g') m
                           except all select m from regexp_matches(before::text, '"person:[^"]*"', 'g') m)
            then
                raise exception 'a history changes only where a person is erased'
                    using errcode = 'restrict_violation', hint = 'or a figure';
            end if;
            return new;
        end $$
"""


def upgrade() -> None:
    """The column, the table, and the rights with the triggers that bound them."""
    op.execute("alter table academy.observation add column erased_at timestamptz")
    op.execute(TABLE)
    op.execute("create index observation_erasure_newest on academy.observation_erasure (trust_id, erased_at, id)")
    for statement in tenant_table_policies(
        "academy", "observation_erasure", academy_column="urn", grants=("select", "insert", "update")
    ):
        op.execute(statement)
    op.execute("grant update (criteria, content_sha256) on academy.rating to academy_app")
    op.execute(RATING_TRIGGER)
    op.execute(
        "create trigger only_erases before update on academy.rating"
        " for each row execute function academy.rating_only_erases()"
    )
    op.execute(EVENT_TRIGGER)
    op.execute("drop trigger only_erases on academy.event")
    op.execute(
        "create trigger only_erases before update on academy.event"
        " for each row execute function academy.event_only_erases()"
    )


def downgrade() -> None:
    """Take all of it back; what was erased stays erased."""
    op.execute("drop trigger only_erases on academy.event")
    op.execute(
        "create trigger only_erases before update on academy.event for each row execute function academy.only_erases()"
    )
    op.execute("drop function academy.event_only_erases()")
    op.execute("drop trigger only_erases on academy.rating")
    op.execute("drop function academy.rating_only_erases()")
    op.execute("revoke update (criteria, content_sha256) on academy.rating from academy_app")
    op.execute("drop table academy.observation_erasure")
    op.execute("alter table academy.observation drop column erased_at")
