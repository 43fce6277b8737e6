"""Who sees a table's rows is declared on its class, and the database agrees with every declaration."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table as SqlTable
from sqlmodel import SQLModel

from kit.database.sessions import Connection
from kit.schema.access import Access
from kit.schema.ddl import tenant_table_policies
from kit.schema.migrations import KIT_TABLES, metadata_of
from tests.support.catalogue import SCHEMAS, Exceptions, Table, policies, tenant_tables
from tests.support.cluster import CHAINS
from tests.support.databases import Clone

SCRATCH = "access_scratch"
WRITES = [f"whole_trust_{command}s" for command in ("insert", "update", "delete")]


def declared() -> dict[str, Access]:
    """What every table class of every service declares, by the table's full name."""
    for chain in CHAINS:
        metadata_of(chain)
    found: dict[str, Access] = {}
    for mapper in SQLModel._sa_registry.mappers:
        table = mapper.local_table
        if isinstance(table, SqlTable) and table.schema in SCHEMAS:
            access = getattr(mapper.class_, "__access__", None)
            if access is not None:
                found[f"{table.schema}.{table.name}"] = access
    return found


def without_followers(rows: list[Any], schema: str) -> list[tuple[Any, ...]]:
    """The app's policies: name, kind, command and both clauses."""
    return [
        (row["name"], row["permissive"], row["command"], row["using"], row["checks"])
        for row in rows
        if row["roles"] == [f"{schema}_app"]
    ]


async def grants(connection: Connection, name: str, role: str) -> set[str]:
    """What a role may do with a whole table."""
    rows = await connection.fetch(
        """
        select lower(privilege_type) as may from information_schema.role_table_grants
        where table_schema || '.' || table_name = $1 and grantee = $2
        """,
        name,
        role,
    )
    return {row["may"] for row in rows}


async def mapped_tables(connection: Connection) -> Iterator[Table]:
    """The tenant tables that a class stands for; the kit's own are made and read by SQL."""
    return (table for table in await tenant_tables(connection) if table.name not in KIT_TABLES)


async def test_every_tenant_table_of_a_slice_has_a_class_that_declares_its_access(worker_database: Clone) -> None:
    exceptions = Exceptions()
    async with worker_database.admin() as admin:
        names = {table.full_name for table in await mapped_tables(admin)}
    assert [name for name in sorted(names - declared().keys()) if not exceptions.allow("class", name)] == []
    assert [name for kind, name in exceptions.unused if kind == "class"] == []
    assert declared().keys() - names == set()


async def test_the_database_has_the_policies_and_grants_that_the_class_declares(worker_database: Clone) -> None:
    async with worker_database.admin() as admin:
        known = declared()
        for table in await mapped_tables(admin):
            access = known.get(table.full_name)
            if access is None:
                continue
            schema, name = table.schema, table.full_name
            transaction = admin.transaction()
            await transaction.start()
            try:
                # What Postgres makes of the same declaration on a table of the same columns.
                await admin.execute(f"create table {schema}.{SCRATCH} (like {name})")
                for statement in tenant_table_policies(schema, SCRATCH, **access.arguments()):
                    await admin.execute(statement)
                oid = await admin.fetchval(f"select '{schema}.{SCRATCH}'::regclass::oid")
                wanted = await policies(admin, Table(oid, schema, SCRATCH, table.columns, True, True))
                allowed = await grants(admin, f"{schema}.{SCRATCH}", f"{schema}_app")
            finally:
                await transaction.rollback()
            found = await policies(admin, table)
            expected = [
                (*row[:3], *(clause and clause.replace(SCRATCH, table.name) for clause in row[3:]))
                for row in without_followers(wanted, schema)
            ]
            assert without_followers(found, schema) == expected, name
            assert await grants(admin, name, f"{schema}_app") == allowed, name


def test_tables_that_restrict_by_academy_say_so_or_are_listed() -> None:
    exceptions = Exceptions()
    for name, access in declared().items():
        table = SQLModel.metadata.tables[name]
        has_academies = bool({"urn", "academies"} & set(table.columns.keys()))
        if has_academies and not exceptions.allow("academies", name):
            assert access.urn or access.academies or access.covered, name


@pytest.mark.parametrize(
    ("access", "names"),
    [
        (Access(), ["trust"]),
        (Access(urn="urn"), ["trust", "academies"]),
        (Access(urn="urn", urn_optional=True), ["trust", "academies", *WRITES]),
        (Access(whole_trust_writes=True), ["trust", *WRITES]),
        (Access(parent=("visit", "visit_id")), ["trust", "parent"]),
        (Access(academies="urns", whole_trust=True), ["trust", "academies", "whole_trust"]),
        (Access(subject="made_by"), ["trust", "subject"]),
        (Access(project="project_id"), ["trust", "project"]),
        (Access(pupils=True, urn="urn"), ["trust", "academies", "pupils"]),
    ],
)
def test_each_kind_is_a_policy_of_its_own(access: Access, names: list[str]) -> None:
    statements = tenant_table_policies("academy", "thing", **access.arguments())
    made = [statement.split()[2] for statement in statements if statement.startswith("create policy")]
    assert made == names
    assert all(
        " as restrictive " in one for one in statements if one.startswith("create policy") and " trust on" not in one
    )
