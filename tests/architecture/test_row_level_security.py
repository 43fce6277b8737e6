"""Row-level security as the database's catalogue shows it, over the schemas of all services."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kit.database.sessions import Connection
from tests.support.catalogue import SCHEMAS, Exceptions, policies, tables, tenant_tables
from tests.support.databases import Clone

TRUST = "(trust_id = (NULLIF(current_setting('app.trust_id'::text, true), ''::text))::uuid)"
SERVING = tuple(f"{schema}_{kind}" for schema in SCHEMAS for kind in ("app", "follower", "janitor"))
ROLES = (*SERVING, "academy_loader", *(f"{schema}_owner" for schema in SCHEMAS))


@pytest_asyncio.fixture
async def admin(worker_database: Clone) -> AsyncIterator[Connection]:
    """Reads the catalogue."""
    async with worker_database.admin() as connection:
        yield connection


async def test_every_table_belongs_to_trusts_or_is_listed(admin: Connection) -> None:
    strangers = [table.full_name for table in await tenant_tables(admin) if "trust_id" not in table.columns]
    assert strangers == []


async def test_every_tenant_table_has_forced_row_level_security(admin: Connection) -> None:
    found = await tenant_tables(admin)
    assert len(found) > len(SCHEMAS)
    assert [table.full_name for table in found if not (table.has_security and table.is_forced)] == []


async def test_every_tenant_table_shows_the_app_its_trusts_rows_by_one_policy(admin: Connection) -> None:
    for table in await tenant_tables(admin):
        for_app = [
            policy
            for policy in await policies(admin, table)
            if policy["permissive"] and policy["roles"] == [f"{table.schema}_app"]
        ]
        # Permissive policies are joined by OR: a second one would show more.
        assert len(for_app) == 1, table.full_name
        assert for_app[0]["command"] == "*", table.full_name
        assert for_app[0]["using"] == for_app[0]["checks"] == TRUST, table.full_name


async def test_every_other_permissive_policy_is_listed(admin: Connection) -> None:
    exceptions = Exceptions()
    for table in await tenant_tables(admin):
        for policy in await policies(admin, table):
            if policy["permissive"] and policy["roles"] != [f"{table.schema}_app"]:
                assert exceptions.allow("policy", f"{table.full_name} {policy['name']}"), (table, policy)
    assert [name for kind, name in exceptions.unused if kind == "policy"] == []


async def test_rows_of_an_academy_are_restricted_by_academy(admin: Connection) -> None:
    exceptions = Exceptions()
    for table in await tenant_tables(admin):
        restrictive = [policy for policy in await policies(admin, table) if policy["name"] == "academies"]
        if not {"urn", "academies"} & set(table.columns) or exceptions.allow("academies", table.full_name):
            assert restrictive == [], table.full_name
            continue
        assert len(restrictive) == 1, table.full_name
        assert restrictive[0]["command"] == "*", table.full_name
        assert restrictive[0]["using"] == restrictive[0]["checks"], table.full_name
        assert "app.academies" in restrictive[0]["using"], table.full_name
        assert restrictive[0]["roles"] == [f"{table.schema}_app"], table.full_name
    assert [name for kind, name in exceptions.unused if kind == "academies"] == []


async def test_what_is_of_no_academy_is_written_by_the_whole_trust_or_is_listed(admin: Connection) -> None:
    """Else a grant for one academy would write what counts for all of them."""
    exceptions = Exceptions()
    for table in await tenant_tables(admin):
        found = {policy["name"]: policy for policy in await policies(admin, table) if not policy["permissive"]}
        academies = found.get("academies")
        always = academies is not None and "IS NULL" not in academies["using"]
        if always or {"whole_trust", "parent"} & found.keys() or exceptions.allow("whole-trust", table.full_name):
            continue
        kinds = {"insert": "a", "update": "w", "delete": "d"}
        for command, letter in kinds.items():
            policy = found.get(f"whole_trust_{command}s")
            assert policy is not None, f"{table.full_name}: who may {command} a row of no academy?"
            assert policy["command"] == letter, table.full_name
            assert all("'*'" in clause for clause in (policy["using"], policy["checks"]) if clause), table.full_name
    assert [name for kind, name in exceptions.unused if kind == "whole-trust"] == []


async def test_every_index_and_key_of_a_tenant_table_leads_with_the_trust(admin: Connection) -> None:
    exceptions = Exceptions()
    wrong = []
    for table in await tenant_tables(admin):
        indexes = await admin.fetch(
            """
            select c.relname as name, (select a.attname from pg_attribute a
                                       where a.attrelid = i.indrelid and a.attnum = i.indkey[0]) as leads
            from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1
            """,
            table.oid,
        )
        assert indexes, f"{table.full_name} has no key"
        for index in indexes:
            name = f"{table.schema}.{index['name']}"
            if index["leads"] != "trust_id" and not exceptions.allow("index", name):
                wrong.append(name)
    assert wrong == []
    assert [name for kind, name in exceptions.unused if kind == "index"] == []


async def test_every_foreign_key_of_a_tenant_table_leads_with_the_trust(admin: Connection) -> None:
    wrong = []
    for table in await tenant_tables(admin):
        keys = await admin.fetch(
            """
            select k.conname, f.relname,
                   (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1]) as own,
                   (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1]) as other
            from pg_constraint k join pg_class f on f.oid = k.confrelid where k.contype = 'f' and k.conrelid = $1
            """,
            table.oid,
        )
        wrong += [f"{table.full_name} {key['conname']}" for key in keys if {key["own"], key["other"]} != {"trust_id"}]
    assert wrong == []


async def test_the_trust_of_a_row_is_never_unknown(admin: Connection) -> None:
    nullable = await admin.fetch(
        """
        select c.oid::regclass::text as name from pg_attribute a join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where a.attname = 'trust_id' and not a.attnotnull and c.relkind in ('r', 'p') and n.nspname = any($1)
        """,
        list(SCHEMAS),
    )
    assert [row["name"] for row in nullable] == []


async def test_the_list_of_exceptions_has_no_stale_entry(admin: Connection) -> None:
    exceptions = Exceptions()
    for table in await tables(admin):
        exceptions.allow("table", table.full_name)
    assert [name for kind, name in exceptions.unused if kind == "table"] == []


async def test_nothing_runs_with_the_rights_of_another(admin: Connection) -> None:
    """No SECURITY DEFINER function, no view with its owner's eyes, no materialized view."""
    definers = await admin.fetch(
        """
        select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
        """
    )
    assert [row["name"] for row in definers] == []
    views = await admin.fetch(
        """
        select c.oid::regclass::text as name, c.relkind::text as kind, c.reloptions
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
        """
    )
    assert [row["name"] for row in views if row["kind"] == "m"] == []
    assert [row["name"] for row in views if "security_invoker=true" not in (row["reloptions"] or ())] == []


async def test_roles_that_serve_can_do_nothing_special_and_own_nothing(admin: Connection) -> None:
    rows = await admin.fetch("select * from pg_roles where rolname = any($1)", list(ROLES))
    assert len(rows) == len(ROLES)
    for row in rows:
        special = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert not any(row[name] for name in special), row["rolname"]
        assert row["rolcanlogin"] == (not row["rolname"].endswith(("_owner", "_janitor"))), row["rolname"]
    owned = await admin.fetch(
        """
        select r.rolname from pg_shdepend d join pg_roles r on r.oid = d.refobjid
        where d.deptype = 'o' and r.rolname = any($1)
        """,
        [role for role in ROLES if not role.endswith("_owner")] + ["trellis_migrator"],
    )
    assert [row["rolname"] for row in owned] == []


async def test_everything_of_a_service_belongs_to_its_owner(admin: Connection) -> None:
    owners = await admin.fetch(
        """
        select n.nspname, c.oid::regclass::text as name, pg_get_userbyid(c.relowner) as owner
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1)
        union all
        select n.nspname, p.oid::regprocedure::text, pg_get_userbyid(p.proowner)
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any($1)
        union all
        select n.nspname, t.oid::regtype::text, pg_get_userbyid(t.typowner)
        from pg_type t join pg_namespace n on n.oid = t.typnamespace where n.nspname = any($1)
        """,
        list(SCHEMAS),
    )
    assert [row["name"] for row in owners if row["owner"] != f"{row['nspname']}_owner"] == []


async def test_serving_roles_are_members_of_nothing_they_could_use_unasked(admin: Connection) -> None:
    rows = await admin.fetch(
        """
        select m.rolname as member, g.rolname as role, a.inherit_option, a.admin_option
        from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
        where m.rolname = any($1)
        """,
        list(ROLES),
    )
    found = {(row["member"], row["role"]) for row in rows}
    assert found == {(f"{schema}_app", f"{schema}_janitor") for schema in SCHEMAS}
    assert not any(row["inherit_option"] or row["admin_option"] for row in rows)


@pytest.mark.parametrize("right", ["truncate", "references", "trigger", "maintain"])
async def test_nobody_has_rights_that_go_past_row_level_security(admin: Connection, right: str) -> None:
    """TRUNCATE, for one, asks no policy."""
    for table in await tables(admin):
        for role in SERVING:
            held = await admin.fetchval("select has_table_privilege($1, $2::oid, $3)", role, table.oid, right)
            assert not held, (role, table.full_name)


async def test_a_role_reaches_no_other_services_schema(admin: Connection) -> None:
    for schema in SCHEMAS:
        for role in ROLES:
            uses = await admin.fetchval("select has_schema_privilege($1, $2, 'usage')", role, schema)
            assert uses == role.startswith(f"{schema}_"), (role, schema)
            creates = await admin.fetchval("select has_schema_privilege($1, $2, 'create')", role, schema)
            assert creates == (role == f"{schema}_owner"), (role, schema)


async def test_the_follower_reads_events_and_nothing_else(admin: Connection) -> None:
    for table in await tables(admin):
        for role in (f"{table.schema}_follower", f"{table.schema}_janitor"):
            rights = [
                right
                for right in ("select", "insert", "update", "delete")
                if await admin.fetchval("select has_table_privilege($1, $2::oid, $3)", role, table.oid, right)
            ]
            expected = {
                ("event", "follower"): ["select"],
                ("feed_epoch", "follower"): ["select"],
                ("idempotency_key", "janitor"): ["delete"],
                # Read models: only from the side that nobody reads, by its policy.
                ("side", "janitor"): ["delete"],
            }.get(("side" if table.name.endswith(("_a", "_b")) else table.name, role.rpartition("_")[2]), [])
            assert rights == expected, (role, table.full_name)


async def test_the_loader_writes_no_tenant_table(admin: Connection) -> None:
    readable = []
    for table in await tenant_tables(admin):
        for right in ("select", "insert", "update", "delete"):
            held = await admin.fetchval("select has_table_privilege('academy_loader', $1::oid, $2)", table.oid, right)
            if held:
                readable.append((table.full_name, right))
    assert readable == [("academy.rated_trust", "select")]


async def test_the_app_writes_no_reference_table(admin: Connection) -> None:
    exceptions = {"alembic_version", "feed_epoch", "schema_serves"}
    for table in await tables(admin):
        loaded = await admin.fetchval("select has_table_privilege('academy_loader', $1::oid, 'update')", table.oid)
        if loaded or table.name in exceptions:
            for right in ("insert", "update", "delete"):
                role = f"{table.schema}_app"
                assert not await admin.fetchval("select has_table_privilege($1, $2::oid, $3)", role, table.oid, right)
