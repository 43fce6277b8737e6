"""The statements of migrations for what follows another service's feed: followers' places, and read models.

A read model's table exists twice, as `<name>_a` and `<name>_b`; the view `<name>` shows the side that its follower's
row names. A rebuild fills the other side and changes that one row: readers see one side or the other, never half.
What a released migration executes must not change: alter these tables by a later migration, not here.
"""

import re
from collections.abc import Sequence
from typing import Final

from kit.schema.ddl import tenant_table_policies

SIDES: Final = ("a", "b")

_NAME = re.compile(r"^[a-z][a-z0-9_]{0,50}$")
_CONSUMER = re.compile(r"^[a-z][a-z0-9-]{0,50}$")


def follower_table(schema: str) -> list[str]:
    """How far each follower of this service has come; one row per source and consumer."""
    _checked(schema)
    return [
        f"""create table {schema}.follower (
            source text not null,
            consumer text not null,
            cursor text,
            skip_until timestamptz,
            side text not null default 'a' constraint follower_side check (side in ('a', 'b')),
            is_rebuild_wanted boolean not null default false,
            is_rebuilding boolean not null default false,
            rebuild_cursor text,
            version integer not null default 1,
            rebuilds integer not null default 0,
            rebuilt_at timestamptz,
            events bigint not null default 0,
            event_at timestamptz,
            applied_at timestamptz,
            primary key (source, consumer)
        )""",
        f"grant select, insert, update on {schema}.follower to {schema}_app",
        f"grant select (source, consumer, side) on {schema}.follower to {schema}_janitor",
    ]


def drop_follower_table(schema: str) -> list[str]:
    """Undo `follower_table`."""
    _checked(schema)
    return [f"drop table {schema}.follower"]


def grants_read_model(schema: str) -> list[str]:
    """What every service keeps of identity: who holds a right (`kit.events.holders`)."""
    return read_model(
        schema,
        "identity",
        "grants",
        [
            (
                "identity_grant",
                """id uuid not null, holder text not null, role text not null, extent text not null,
                   academies integer[], starts_on date not null, ends_on date, is_ended boolean not null,
                   primary key (trust_id, id);
                   create index identity_grant_{side}_holder on {schema}.identity_grant_{side} (trust_id, holder)""",
            ),
            ("identity_holder", "holder text not null, is_active boolean not null, primary key (trust_id, holder)"),
        ],
    )


def drop_grants_read_model(schema: str) -> list[str]:
    """Undo `grants_read_model`."""
    return drop_read_model(schema, "identity", "grants", ["identity_grant", "identity_holder"])


def read_model(
    schema: str,
    source: str,
    consumer: str,
    tables: Sequence[tuple[str, str]],
    *,
    academy_columns: dict[str, str] | None = None,
) -> list[str]:
    """A read model's tables on both sides, their views, and the row of its follower.

    `tables` are names with their columns and constraints as SQL; `trust_id uuid not null` comes first by itself. After
    a semicolon come further statements, such as indexes, with `{schema}` and `{side}` for both. `academy_columns` name
    the URN of tables that have one.
    """
    _checked(schema, *(name for name, _ in tables))
    if not _CONSUMER.match(source) or not _CONSUMER.match(consumer):
        raise ValueError(f"not plain names: {source!r}, {consumer!r}")
    live = f"(select f.side from {schema}.follower f where f.source = '{source}' and f.consumer = '{consumer}')"  # noqa: S608
    statements = [f"insert into {schema}.follower (source, consumer) values ('{source}', '{consumer}')"]  # noqa: S608
    for name, columns in tables:
        for side in SIDES:
            statements += _side(schema, name, columns, side, live, (academy_columns or {}).get(name))
        branches = (f"select * from {schema}.{name}_{side} where {live} = '{side}'" for side in SIDES)  # noqa: S608
        statements += [
            f"create view {schema}.{name} with (security_invoker = true) as {' union all '.join(branches)}",
            f"grant select on {schema}.{name} to {schema}_app",
        ]
    return statements


def drop_read_model(schema: str, source: str, consumer: str, names: Sequence[str]) -> list[str]:
    """Undo `read_model`."""
    _checked(schema, *names)
    return [
        *(f"drop view {schema}.{name}" for name in names),
        *(f"drop table {schema}.{name}_{side}" for name in names for side in SIDES),
        f"delete from {schema}.follower where source = '{source}' and consumer = '{consumer}'",  # noqa: S608
    ]


def _side(schema: str, name: str, columns: str, side: str, live: str, academy_column: str | None) -> list[str]:
    table, janitor = f"{schema}.{name}_{side}", f"{schema}_janitor"
    first, *more = columns.replace("{side}", side).replace("{schema}", schema).split(";")
    return [
        f"create table {table} (trust_id uuid not null, {first.strip()})",
        *(statement.strip() for statement in more if statement.strip()),
        *tenant_table_policies(schema, f"{name}_{side}", academy_column=academy_column),
        # Before and after a rebuild the side that nobody reads is emptied, whichever trusts' rows it holds.
        f"create policy {janitor}_lists on {table} for select to {janitor} using (true)",
        f"create policy {janitor}_empties on {table} for delete to {janitor} using ({live} <> '{side}')",
        f"grant select (trust_id), delete on {table} to {janitor}",
    ]


def _checked(*names: str) -> None:
    for name in names:
        if not _NAME.match(name):
            raise ValueError(f"not a plain lower-case SQL name: {name!r}")
