"""Row-level security proven by SQL that forgets every `where`, over every tenant table of every service."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest_asyncio

from kit.database.sessions import Connection, Context, set_context
from tests.support.catalogue import Table, tenant_tables
from tests.support.databases import Clone
from tests.support.tokens import OTHER_TRUST, PROSPERE

ALL = Context(PROSPERE, None, "person:ceo")
URN, OTHER_URN = 100001, 100002

VALUES = {
    "uuid": "gen_random_uuid()",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "text": "'x'",
    "date": "current_date",
    "timestamp with time zone": "now()",
    "bytea": "'\\x00'",
    "boolean": "true",
    "jsonb": "'{}'",
    "numeric": "1",
    "xid8": "'1'",
}


@pytest_asyncio.fixture
async def admin(committed_database: Clone) -> AsyncIterator[Connection]:
    """The superuser of a database of this test's own."""
    async with committed_database.admin() as connection:
        yield connection


async def _let_anything_in(admin: Connection, table: Table) -> None:
    """Take away what must never be false of the rows: here only whose they are counts."""
    await admin.execute(f"alter table {table.full_name} disable trigger user")
    constraints = await admin.fetch(
        "select conname from pg_constraint where conrelid = $1 and contype in ('c', 'f', 'p', 'u', 'x')", table.oid
    )
    for row in constraints:
        await admin.execute(f'alter table {table.full_name} drop constraint "{row["conname"]}" cascade')
    unique = await admin.fetch(
        "select indexrelid::regclass::text as name from pg_index where indrelid = $1 and indisunique",
        table.oid,
    )
    for row in unique:
        await admin.execute(f"drop index {row['name']}")


async def _required(admin: Connection, table: Table) -> Sequence[Any]:
    return await admin.fetch(
        """
        select attname as name, format_type(atttypid, null) as type from pg_attribute
        where attrelid = $1 and attnum > 0 and not attisdropped and attnotnull
          and not atthasdef and attidentity = '' and attname not in ('trust_id', 'urn')
        """,
        table.oid,
    )


async def _insert(connection: Connection, admin: Connection, table: Table, trust: str, urn: int | None) -> str:
    columns = {"trust_id": f"'{trust}'"}
    for row in await _required(admin, table):
        columns[row["name"]] = "'{}'" if row["type"].endswith("[]") else VALUES[row["type"]]
    if "urn" in table.columns:
        columns["urn"] = "null" if urn is None else str(urn)
    names, values = ", ".join(f'"{name}"' for name in columns), ", ".join(columns.values())
    return await connection.execute(f"insert into {table.full_name} ({names}) values ({values})")


async def _count(app: Connection, table: Table, context: Context) -> int:
    async with app.transaction():
        await set_context(app, context)
        found: int = await app.fetchval(f"select count(*) from {table.full_name}")
    return found


async def _change(app: Connection, statement: str, context: Context) -> int:
    """How many rows it changed; none when the role may not do it at all."""
    try:
        async with app.transaction():
            await set_context(app, context)
            status = await app.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return 0
    return int(status.rpartition(" ")[2])


async def _refused(app: Connection, admin: Connection, table: Table, context: Context, *, urn: int | None) -> bool:
    try:
        async with app.transaction():
            await set_context(app, context)
            await _insert(app, admin, table, str(OTHER_TRUST if urn is None else context.tenant_id), urn or URN)
    except asyncpg.InsufficientPrivilegeError:
        return True
    return False


async def test_a_statement_without_where_touches_one_trusts_rows_only(
    admin: Connection, committed_database: Clone
) -> None:
    found = await tenant_tables(admin)
    for table in found:
        await _let_anything_in(admin, table)
        for trust in (PROSPERE, OTHER_TRUST):
            for urn in (URN, OTHER_URN):
                await _insert(admin, admin, table, str(trust), urn)
    # A part of a file is seen where its import is, and checked before the check of imports takes those away.
    await admin.execute(
        "update academy.import_chunk c set import_id = (select max(p.id::text)::uuid from academy.import p "
        "where p.trust_id = c.trust_id)"
    )
    for table in sorted(found, key=lambda table: table.name != "import_chunk"):
        app = await committed_database.of(table.schema).connect()
        try:
            await _check(app, admin, table)
        finally:
            await app.close()


async def _check(app: Connection, admin: Connection, table: Table) -> None:
    name = table.full_name
    total = await admin.fetchval(f"select count(*) from {name}")
    assert total == 4, name
    assert await app.fetchval(f"select count(*) from {name}") == 0, f"{name} shows rows without a context"
    assert await _count(app, table, ALL) == 2, name
    if "urn" in table.columns:
        assert await _count(app, table, Context(PROSPERE, frozenset({URN}), "head")) == 1, name
        assert await _count(app, table, Context(PROSPERE, frozenset(), "nobody")) == 0, name
        one = Context(PROSPERE, frozenset({URN}), "head")
        assert await _refused(app, admin, table, one, urn=OTHER_URN), f"{name} takes rows of another academy"
    elif name in {"academy.import", "academy.import_chunk", "academy.import_notice"}:
        # Imports, their parts and the notes that were made for the whole trust are not for a grant for some academies.
        assert await _count(app, table, Context(PROSPERE, frozenset({URN}), "head")) == 0, name
    else:
        assert await _count(app, table, Context(PROSPERE, frozenset(), "nobody")) == 2, name
    assert await _refused(app, admin, table, ALL, urn=None), f"{name} takes rows of another trust"
    moved = f"update {name} set trust_id = '{OTHER_TRUST}'"
    assert await _change(app, moved, ALL) == 0, f"{name} gives rows away"
    assert await _change(app, f"update {name} set trust_id = trust_id", ALL) in (0, 2), name
    assert await _change(app, f"delete from {name}", ALL) in (0, 2), name
    left = await admin.fetchval(f"select count(*) from {name} where trust_id = $1", OTHER_TRUST)
    assert left == 2, f"{name} lost rows of another trust"
