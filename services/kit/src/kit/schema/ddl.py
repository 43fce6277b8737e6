"""The statements that every service's migrations share: row-level security, grants, and the kit's own tables.

Each function gives SQL for a migration to execute (`for statement in ...: op.execute(statement)`). What a released
migration executes must not change: alter these tables by a later migration, not here.
"""

import re
from collections.abc import Sequence
from importlib import resources
from typing import Literal, TypedDict, Unpack, get_args

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,50}$")


def _checked(*names: str) -> None:
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"not a plain lower-case SQL name: {name!r}")


WHOLE_TRUST = "current_setting('app.academies', true) = '*'"
TRUST = "nullif(current_setting('app.trust_id', true), '')::uuid"


def _academies(column: str) -> str:
    # The sub-select is worked out once per query and not once per row; and always where Postgres looks again at a row
    # that another transaction has changed meanwhile, whatever stands before the "or": it must be able to read '*'.
    given = "nullif(nullif(current_setting('app.academies', true), ''), '*')"
    urns = f"(select string_to_array({given}, ',')::int[])"
    return f"current_setting('app.academies', true) = '*' or {column} = any({urns}::int[])"


def _given(setting: str, kind: str) -> str:
    """The members of a setting that lists some with commas; null where it is empty or says `*` for all."""
    given = f"nullif(nullif(current_setting('{setting}', true), ''), '*')"
    return f"(select string_to_array({given}, ',')::{kind}[])"


Column = Literal["academy_column", "academies_column", "covered_column", "subject_column", "project_column"]
_COLUMNS: tuple[Column, ...] = get_args(Column)


class Rules(TypedDict, total=False):
    """What narrows a trust's rows for some of its callers; a row is visible when it fits all of them."""

    academy_column: str | None
    """The URN by which a grant for some academies restricts rows."""
    academy_optional: bool
    """A row without a URN concerns the whole trust and is visible to all of it."""
    academies_column: str | None
    """An `int[]` of which one URN must be the caller's."""
    covered_column: str | None
    """An `int[]` of which every URN must be the caller's; null is for callers without a list of academies."""
    whole_trust: bool
    """Only callers without a list of academies."""
    whole_trust_writes: bool
    """A row without an academy is visible to all of the trust; only callers without a list of academies write it."""
    parent: tuple[str, str] | None
    """A table of the same schema and the column that names a row of it: only rows whose parent is visible."""
    subject_column: str | None
    """Only the subject that stands here."""
    project_column: str | None
    """Members of the project, and callers without a list of academies."""
    pupils: bool
    """Only callers who may see rows of pupils."""


def whole_trust_writes(schema: str, table: str, academy_column: str | None) -> list[str]:
    """Policies for writing alone: a row without an academy is written under a grant for the whole trust.

    Every row of a table that has no column for the academy is one without. Reading isn't restricted, but a row can't be
    held (`for update`) by somebody who may not write it.
    """
    _checked(schema, table, *([academy_column] if academy_column else []))
    fits = WHOLE_TRUST if academy_column is None else f"{academy_column} is not null or {WHOLE_TRUST}"
    clauses = {
        "insert": f"with check ({fits})",
        "update": f"using ({fits}) with check ({fits})",
        "delete": f"using ({fits})",
    }
    restrictive = f"on {schema}.{table} as restrictive for"
    return [
        f"create policy whole_trust_{command}s {restrictive} {command} to {schema}_app {clause}"
        for command, clause in clauses.items()
    ]


def restrictions(schema: str, table: str, rules: Rules) -> dict[str, str]:
    """The conditions of these rules, by the name of their policy."""
    columns = {name: str(rules[name]) for name in _COLUMNS if rules.get(name)}
    _checked(*columns.values())
    if len(columns.keys() & {"academy_column", "academies_column", "covered_column"}) > 1:
        raise ValueError("one column says which academies a row is about, not several")
    found: dict[str, str] = {}
    if academy_column := columns.get("academy_column"):
        rule = _academies(academy_column)
        found["academies"] = f"{academy_column} is null or {rule}" if rules.get("academy_optional") else rule
    if academies_column := columns.get("academies_column"):
        given = _given("app.academies", "int")
        found["academies"] = f"current_setting('app.academies', true) = '*' or {academies_column} && {given}::int[]"
    if covered_column := columns.get("covered_column"):
        given = _given("app.academies", "int")
        found["academies"] = f"current_setting('app.academies', true) = '*' or {covered_column} <@ {given}"
    if rules.get("whole_trust"):
        found["whole_trust"] = WHOLE_TRUST
    if parent := rules.get("parent"):
        _checked(*parent)
        # The parent's own policies decide in there.
        found["parent"] = (
            f"exists (select from {schema}.{parent[0]} p"
            f" where p.trust_id = {table}.trust_id and p.id = {table}.{parent[1]})"
        )
    if subject_column := columns.get("subject_column"):
        found["subject"] = f"{subject_column} = nullif(current_setting('app.subject', true), '')"
    if project_column := columns.get("project_column"):
        given = _given("app.projects", "uuid")
        found["project"] = f"current_setting('app.academies', true) = '*' or {project_column} = any({given}::uuid[])"
    if rules.get("pupils"):
        found["pupils"] = "current_setting('app.pupils', true) = 'yes'"
    return found


def tenant_table_policies(
    schema: str, table: str, *, grants: Sequence[str] = ("select", "insert", "update", "delete"), **rules: Unpack[Rules]
) -> list[str]:
    """Row-level security and the app role's grants for a table that leads with `trust_id`.

    `rules` narrow the trust's rows. `grants` leaves out what never happens to the table (a history is never updated).
    Only the app role has a policy: everyone else, the owner included (FORCE), sees nothing.
    """
    _checked(schema, table, *grants)
    name, app = f"{schema}.{table}", f"{schema}_app"
    return [
        f"alter table {name} enable row level security",
        f"alter table {name} force row level security",
        f"create policy trust on {name} to {app} using (trust_id = {TRUST}) with check (trust_id = {TRUST})",
        *(
            f"create policy {rule} on {name} as restrictive to {app} using ({fits}) with check ({fits})"
            for rule, fits in restrictions(schema, table, rules).items()
        ),
        *(whole_trust_writes(schema, table, rules.get("academy_column")) if rules.get("whole_trust_writes") else ()),
        f"grant {', '.join(grants)} on {name} to {app}",
    ]


def reader_policy(schema: str, table: str, role: str) -> list[str]:
    """Let one more role read a tenant table across all trusts (the follower, the loader)."""
    _checked(schema, table, role)
    return [
        f"create policy {role}_reads on {schema}.{table} for select to {role} using (true)",
        f"grant select on {schema}.{table} to {role}",
    ]


def janitor_lists_trusts(schema: str, table: str) -> list[str]:
    """Let the janitor list the trusts in a tenant table, for schedules: their ids and nothing else."""
    _checked(schema, table)
    janitor = f"{schema}_janitor"
    return [
        f"create policy {janitor}_lists on {schema}.{table} for select to {janitor} using (true)",
        f"grant select (trust_id) on {schema}.{table} to {janitor}",
    ]


def reference_table_grants(schema: str, table: str, *, loader: str | None = None) -> list[str]:
    """Grants for a table that belongs to no trust: the app reads it, only the loader role writes it."""
    _checked(schema, table)
    loader = loader or f"{schema}_loader"
    _checked(loader)
    return [
        f"grant select on {schema}.{table} to {schema}_app",
        f"grant select, insert, update, delete on {schema}.{table} to {loader}",
    ]


def kit_tables(schema: str) -> list[str]:
    """The kit's own tables in a service's schema: events with their epoch, idempotency keys, jobs."""
    _checked(schema)
    return [*_event_tables(schema), *_idempotency_tables(schema), *job_tables(schema)]


def drop_kit_tables(schema: str) -> list[str]:
    """Undo `kit_tables`."""
    _checked(schema)
    jobs = (
        "procrastinate_events",
        "procrastinate_periodic_defers",
        "procrastinate_jobs",
        "procrastinate_workers",
    )
    tables = ("idempotency_key", "event", "feed_epoch", *jobs)
    return [
        *(f"drop table {schema}.{table} cascade" for table in tables),
        f"drop function {schema}.event_position()",
        f"""do $$ declare it record; begin
            for it in select p.oid::regprocedure as name from pg_proc p
                       where p.pronamespace = '{schema}'::regnamespace and p.proname like 'procrastinate\\_%'
            loop execute 'drop function ' || it.name || ' cascade'; end loop;
            for it in select t.oid::regtype as name from pg_type t
                       where t.typnamespace = '{schema}'::regnamespace and t.typname like 'procrastinate\\_%'
            loop execute 'drop type ' || it.name || ' cascade'; end loop;
        end $$""",  # noqa: S608 - the name is checked
    ]


def _event_tables(schema: str) -> list[str]:
    s = schema
    return [
        # One row. A restore into another cluster raises the epoch: transaction ids of the old one mean nothing there.
        f"""create table {s}.feed_epoch (
            only_row boolean primary key default true check (only_row),
            epoch integer not null check (epoch > 0),
            system_identifier text not null,
            raised_at timestamptz not null default now()
        )""",
        f"""insert into {s}.feed_epoch (epoch, system_identifier)
            select 1, system_identifier::text from pg_control_system()""",  # noqa: S608 - the name is checked
        f"grant select on {s}.feed_epoch to {s}_app, {s}_follower",
        f"""create table {s}.event (
            trust_id uuid not null,
            epoch integer not null,
            xid xid8 not null,
            seq bigint generated always as identity,
            id uuid not null,
            type text not null,
            subject text not null,
            urn integer,
            occurred_at timestamptz not null,
            data jsonb not null,
            primary key (trust_id, epoch, xid, seq)
        )""",
        f"create index event_order on {s}.event (epoch, xid, seq)",
        # By trigger and not by default: on a sharded Postgres a default is worked out on another node, and
        # transaction ids of two nodes can't be compared.
        f"""create function {s}.event_position() returns trigger language plpgsql as $$
            begin
                new.xid := pg_current_xact_id();
                select e.epoch into strict new.epoch from {s}.feed_epoch e;
                return new;
            end $$""",  # noqa: S608 - the name is checked
        f"""create trigger event_position before insert on {s}.event
            for each row execute function {s}.event_position()""",
        *tenant_table_policies(s, "event", academy_column="urn", academy_optional=True, grants=("select", "insert")),
        *reader_policy(s, "event", f"{s}_follower"),
    ]


def state_change_table(schema: str) -> list[str]:
    """Changes of state with their reasons, kept for good; `kit.resources.transitions` writes them."""
    _checked(schema)
    return [
        f"""create table {schema}.state_change (
            trust_id uuid not null,
            id uuid not null,
            thing text not null,
            thing_id uuid not null,
            urn integer,
            verb text not null,
            before text,
            after text not null,
            at timestamptz not null,
            by text not null,
            as_role text,
            reason text,
            primary key (trust_id, id)
        )""",
        f"create index state_change_of_thing on {schema}.state_change (trust_id, thing, thing_id, id)",
        *tenant_table_policies(
            schema, "state_change", academy_column="urn", academy_optional=True, grants=("select", "insert")
        ),
    ]


def _idempotency_tables(schema: str) -> list[str]:
    s = schema
    return [
        f"""create table {s}.idempotency_key (
            trust_id uuid not null,
            client text not null,
            route text not null,
            key text not null,
            fingerprint bytea not null,
            status integer,
            headers jsonb,
            body bytea,
            expires_at timestamptz not null,
            primary key (trust_id, client, route, key)
        )""",
        f"create index idempotency_key_expiry on {s}.idempotency_key (trust_id, expires_at)",
        *tenant_table_policies(s, "idempotency_key", academy_column=None),
        # Expired keys go, whichever trust they belong to, by a role that can see and touch nothing else.
        f"""create policy janitor on {s}.idempotency_key to {s}_janitor
            using (expires_at < now()) with check (false)""",
        f"grant select (expires_at), delete on {s}.idempotency_key to {s}_janitor",
    ]


def file_tables(schema: str) -> list[str]:
    """What a service that takes files needs: which file belongs to what (`kit.objects.tables`)."""
    _checked(schema)
    return [
        f"""create table {schema}.stored_file (
            trust_id uuid not null,
            id uuid not null,
            owner text not null check (owner ~ '^[a-z][a-z-]*/[A-Za-z0-9._-]{{1,100}}$'),
            urn integer,
            sha256 text not null check (sha256 ~ '^[0-9a-f]{{64}}$'),
            size_bytes bigint not null check (size_bytes between 1 and 52428800),
            media_type text not null,
            name text not null check (length(name) between 1 and 210),
            created_at timestamptz not null,
            created_by text not null,
            primary key (trust_id, id)
        )""",
        f"create index stored_file_owner on {schema}.stored_file (trust_id, owner, created_at, id)",
        # The sweep asks for each object whether a row names it.
        f"create index stored_file_object on {schema}.stored_file (trust_id, sha256)",
        *tenant_table_policies(
            schema,
            "stored_file",
            academy_column="urn",
            academy_optional=True,
            grants=("select", "insert", "delete"),
        ),
    ]


def link_tables(schema: str) -> list[str]:
    """What a service with links needs: what each shows, until when, and as whom (`kit.links.tables`)."""
    _checked(schema)
    return [
        f"""create table {schema}.shared_link (
            trust_id uuid not null,
            id uuid not null,
            token_sha256 bytea not null check (length(token_sha256) = 32),
            resource text not null,
            parameters jsonb not null,
            expires_on date not null,
            created_at timestamptz not null,
            created_by text not null,
            client_id text,
            roles text[] not null,
            scopes text[] not null,
            sees_academies integer[],
            leads integer[] not null,
            projects uuid[] not null,
            ended_at timestamptz,
            ended_by text,
            check ((ended_at is null) = (ended_by is null)),
            primary key (trust_id, id)
        )""",
        f"create unique index shared_link_token on {schema}.shared_link (trust_id, token_sha256)",
        f"create index shared_link_newest on {schema}.shared_link (trust_id, created_at desc, id desc)",
        f"create index shared_link_maker on {schema}.shared_link (trust_id, created_by)",
        *tenant_table_policies(schema, "shared_link", grants=("select", "insert", "update")),
    ]


# Its NOTIFY on every insert would make all commits queue up (12 times fewer transactions a second).
_NOTIFYING = (
    "procrastinate_jobs_notify_queue_job_inserted_v1",
    "procrastinate_jobs_notify_queue_job_aborted_v1",
)


def job_tables(schema: str) -> list[str]:
    """procrastinate's own tables, types and functions, inside the service's schema and without its NOTIFY triggers."""
    _checked(schema)
    sql = resources.files("procrastinate.sql").joinpath("schema.sql").read_text(encoding="utf-8")
    # The language is there; only a superuser could create it.
    sql = re.sub(r"DO \$\$\s*BEGIN\s*CREATE EXTENSION.*?END;\s*\$\$;", "", sql, count=1, flags=re.DOTALL)
    return [
        f"set local search_path = {schema}, pg_temp",
        sql,
        "set local search_path = public, pg_temp",
        *(f"drop trigger {trigger} on {schema}.procrastinate_jobs" for trigger in _NOTIFYING),
        *(
            f"grant select, insert, update, delete on {schema}.{table} to {schema}_app"
            for table in (
                "procrastinate_jobs",
                "procrastinate_events",
                "procrastinate_workers",
                "procrastinate_periodic_defers",
            )
        ),
        f"grant usage on all sequences in schema {schema} to {schema}_app",
    ]


def job_enqueue_grants(schema: str, role: str) -> list[str]:
    """Let one more role queue jobs, and nothing else about them."""
    _checked(schema, role)
    return [
        f"grant insert on {schema}.procrastinate_jobs, {schema}.procrastinate_events to {role}",
        # Its number is all that a role gets back.
        f"grant select (id) on {schema}.procrastinate_jobs to {role}",
        f"grant usage on sequence {schema}.procrastinate_jobs_id_seq, {schema}.procrastinate_events_id_seq to {role}",
    ]
