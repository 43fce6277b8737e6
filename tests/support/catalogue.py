"""What the database's own catalogue says about tables, for the tests of row-level security."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kit.database.sessions import Connection
from tests.support.cluster import CHAINS

EXCEPTIONS = Path(__file__).resolve().parents[1] / "architecture" / "exceptions.toml"
SCHEMAS = tuple(chain.schema for chain in CHAINS)


class Exceptions:
    """The committed list of what isn't as it would be for a tenant table, each with a reason."""

    def __init__(self) -> None:
        self._entries: Mapping[str, Sequence[Mapping[str, str]]] = tomllib.loads(EXCEPTIONS.read_text())
        self.unused = {(kind, entry["name"]) for kind, entries in self._entries.items() for entry in entries}

    def allow(self, kind: str, name: str) -> bool:
        """Is this one listed?"""
        for entry in self._entries.get(kind, ()):
            if fnmatchcase(name, entry["name"]):
                assert len(entry["reason"]) > 20, f"{entry['name']} needs a reason"
                self.unused.discard((kind, entry["name"]))
                return True
        return False


@dataclass(frozen=True)
class Table:
    """One table of a service."""

    oid: int
    schema: str
    name: str
    columns: Sequence[str]
    has_security: bool
    is_forced: bool

    @property
    def full_name(self) -> str:
        """With its schema."""
        return f"{self.schema}.{self.name}"


async def tables(connection: Connection) -> list[Table]:
    """Every table of every service."""
    rows = await connection.fetch(
        """
        select c.oid, n.nspname as schema, c.relname as name, c.relrowsecurity, c.relforcerowsecurity,
               array(select a.attname::text from pg_attribute a
                     where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and n.nspname = any($1) order by 2, 3
        """,
        list(SCHEMAS),
    )
    return [
        Table(row["oid"], row["schema"], row["name"], row["columns"], row["relrowsecurity"], row["relforcerowsecurity"])
        for row in rows
    ]


async def tenant_tables(connection: Connection) -> list[Table]:
    """The tables that belong to trusts: all that aren't on the list."""
    exceptions = Exceptions()
    return [table for table in await tables(connection) if not exceptions.allow("table", table.full_name)]


async def policies(connection: Connection, table: Table) -> list[Any]:
    """The policies of a table: name, permissive, for whom, for which command, both clauses as SQL."""
    return list(
        await connection.fetch(
            """
            select p.polname as name, p.polpermissive as permissive, p.polcmd::text as command,
                   array(select coalesce(r.rolname, 'public')::text from unnest(p.polroles) o
                         left join pg_roles r on r.oid = o) as roles,
                   pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as checks
            from pg_policy p where p.polrelid = $1 order by 1
            """,
            table.oid,
        )
    )
