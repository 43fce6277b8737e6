"""Bringing staged rows into the tables by sets: what is new is added, what differs takes the place of what was known.

`COPY` into a table with row-level security is refused by Postgres, so the rows come through a temporary table. Only
rows that are new or differ are written; a file that was loaded before writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying.stage import StagedTable
from kit.database.sessions import Session, driver_of
from kit.ids import uuid7

# Ids of rows that arrive together: one new id, then the number of the row in its last 48 bits. It sorts by time as
# any version 7 does, and a million of uuidv7() cost six seconds (each reads the kernel's random numbers).
NEW_ID: Final = "(cast(:id_start as text) || lpad(to_hex(row_number() over ()), 12, '0'))::uuid"


# A join with the rows of a large file goes through the indexes once; with the 4 MB of Postgres it goes through them
# once for each part that fits. The planner knows enough from some thousand rows.
LARGE_JOINS: Final = "select set_config('work_mem', '64MB', true), set_config('default_statistics_target', '10', true)"


@dataclass(frozen=True, slots=True)
class Counts:
    """What came of some rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)

    @property
    def written(self) -> int:
        """Rows that differ from what was known."""
        return self.new + self.changed


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of one import are from, and when they are recorded. `tenant` is None for reference data."""

    import_id: UUID
    tenant: UUID | None
    release: str
    source: str
    at: datetime


async def copy_in(session: Session, table: StagedTable) -> None:
    """Fill the temporary table of these rows."""
    await session.execute(text(table.create()))
    await driver_of(session).copy_to_table(
        table.incoming, source=table.path, columns=list(table.columns), format="csv", null=""
    )
    if "judgements" in table.columns:
        await session.execute(text(f"update {table.incoming} set judgements = '{{}}' where judgements is null"))  # noqa: S608


@dataclass(frozen=True, slots=True)
class Figures:
    """A table whose rows are never overwritten: another value closes the old row and adds a new one.

    `details` are those of the values that narrower files of the same figure leave out (its interval, its cohort): as
    long as the figure itself is the same, such a file leaves them as they are known. So does one that has no column for
    a value. `kept` is SQL of what a value becomes by a rule of its own, out of the new row `i` and the known one `o`.
    """

    name: str
    target: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    subject: tuple[str, ...]
    has_release: bool = True
    details: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> str:
        """Name of the temporary table of the rows that are new or differ (`old_id` is what they replace)."""
        return f"changed_{self.name}"

    async def merge(self, session: Session, table: StagedTable, origin: Origin, *, dry_run: bool) -> Counts:
        """Bring the staged rows in; afterwards `changed` holds those that made a difference."""
        await session.execute(text(LARGE_JOINS))
        total = (await session.execute(text(f"select count(*) from {table.incoming}"))).scalar_one()  # noqa: S608
        for column in self._left_out(table):
            await session.execute(text(table.add(column)))
        if await self._is_known(session, table, origin):
            await self._compare(session, table, origin)
            row = (await session.execute(text(f"select count(*), count(old_id) from {self.changed}"))).one()  # noqa: S608
            counts = Counts(new=row[0] - row[1], changed=row[1], unchanged=total - row[0])
        else:
            # Nothing to compare with: the rows are used as they are.
            await session.execute(text(f"alter table {table.incoming} rename to {self.changed}"))
            await session.execute(text(f"alter table {self.changed} add column old_id uuid"))
            counts = Counts(new=total)
        if not dry_run and counts.written:
            if counts.changed:
                await session.execute(text(self._supersede(origin)), {"at": origin.at, **self._whose(origin)})
            await session.execute(text(self._insert(origin)), self._parameters(origin))
        return counts

    async def _is_known(self, session: Session, table: StagedTable, origin: Origin) -> bool:
        """Is anything known about what the rows are about? Asked once for each subject, not for each row."""
        same = " and ".join(f"o.{column} = d.{column}" for column in self.subject)
        statement = (
            f"select exists (select 1 from (select distinct {', '.join(self.subject)} from {table.incoming}) d"  # noqa: S608
            f" where exists (select 1 from {self.target} o where {self._tenant(origin)}{same}))"
        )
        known: bool = (await session.execute(text(statement), self._whose(origin))).scalar_one()
        return known

    async def _compare(self, session: Session, table: StagedTable, origin: Origin) -> None:
        same = " and ".join(f"o.{column} = i.{column}" for column in self.key)
        release = " and o.release = :release" if self.has_release else ""
        left_out = self._left_out(table)
        here = ", ".join(self._incoming(column, left_out) for column in self.values)
        there = ", ".join(f"o.{column}" for column in self.values)
        columns = ", ".join((*table.columns, *left_out))
        incoming = ", ".join(self._incoming(column, left_out) for column in (*table.columns, *left_out))
        await session.execute(text(f"create temp table {self.changed} (like {table.incoming}) on commit drop"))
        await session.execute(text(f"alter table {self.changed} add column old_id uuid"))
        await session.execute(text(f"analyze {table.incoming}"))
        statement = (
            f"insert into {self.changed} ({columns}, old_id) select {incoming}, o.id from {table.incoming} i"  # noqa: S608
            f" left join {self.target} o on {self._tenant(origin)}{same}{release} and o.superseded_at is null"
            f" where o.id is null or row({there}) is distinct from row({here})"
            # In the order of the tables' indexes, in which a million entries are written several times as fast.
            f" order by {', '.join(f'i.{column}' for column in self.key)}"
        )
        parameters = self._whose(origin) | ({"release": origin.release} if self.has_release else {})
        await session.execute(text(statement), parameters)
        await session.execute(text(f"analyze {self.changed}"))

    def _left_out(self, table: StagedTable) -> tuple[str, ...]:
        """The values for which the file has no column."""
        return tuple(column for column in self.values if column not in table.columns)

    def _incoming(self, column: str, left_out: tuple[str, ...]) -> str:
        """A column of a new row; for a detail that the row leaves out, what is known of the same figure."""
        if column in self.kept:
            return self.kept[column]
        if column not in (*self.details, *left_out):
            return f"i.{column}"
        same = " and ".join(f"i.{name} is not distinct from o.{name}" for name in ("value", "reason"))
        return f"case when i.{column} is null and {same} then o.{column} else i.{column} end"

    def _supersede(self, origin: Origin) -> str:
        return (
            f"update {self.target} o set superseded_at = :at from {self.changed} c"  # noqa: S608 - constants
            f" where {self._tenant(origin)}o.id = c.old_id"
        )

    def _insert(self, origin: Origin) -> str:
        added = {"id": NEW_ID, "source": "cast(:source as text)", "import_id": "cast(:import_id as uuid)"}
        added["recorded_at"] = "cast(:at as timestamptz)"
        if self.has_release:
            added["release"] = "cast(:release as text)"
        if origin.tenant is not None:
            added["trust_id"] = "cast(:tenant as uuid)"
        columns = ", ".join((*added, *self.key, *self.values))
        values = ", ".join((*added.values(), *self.key, *self.values))
        return f"insert into {self.target} ({columns}) select {values} from {self.changed}"  # noqa: S608 - constants

    def _parameters(self, origin: Origin) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "id_start": str(uuid7())[:24],
            "source": origin.source,
            "import_id": origin.import_id,
            "at": origin.at,
            **self._whose(origin),
        }
        return parameters | ({"release": origin.release} if self.has_release else {})

    def _tenant(self, origin: Origin) -> str:
        return "" if origin.tenant is None else "o.trust_id = :tenant and "

    def _whose(self, origin: Origin) -> dict[str, Any]:
        return {} if origin.tenant is None else {"tenant": origin.tenant}


@dataclass(frozen=True, slots=True)
class Entries:
    """A table of the register: what a file has of an entry is taken over, what it leaves out stays.

    `key` maps columns of the file's rows to those of the table; `settled` are further assignments of a change. An
    empty cell clears what is known only with `empty_clears`: the file is the register's own of these entries. It never
    clears the columns in `kept`.
    """

    name: str
    target: str
    key: tuple[tuple[str, str], ...]
    needed: tuple[tuple[str, str], ...] = ()
    has_version: bool = True
    settled: tuple[tuple[str, str], ...] = ()
    empty_clears: bool = False
    kept: tuple[str, ...] = ()

    @property
    def changed(self) -> str:
        """Name of the temporary table of the entries that are new or differ."""
        return f"changed_{self.name}"

    async def merge(self, session: Session, table: StagedTable, origin: Origin, *, dry_run: bool) -> Counts:
        """Bring the staged entries in. Of several rows about one entry any one counts."""
        keys = dict(self.key)
        columns = [column for column in table.columns if column not in keys]
        total = await self._compare(session, table, columns)
        row = (
            await session.execute(
                text(f"select count(*), count(*) filter (where is_known) from {self.changed}")  # noqa: S608 - constants
            )
        ).one()
        counts = Counts(new=row[0] - row[1], changed=row[1], unchanged=total - row[0])
        if not dry_run and counts.written:
            await self._write(session, columns, origin)
        return counts

    async def _compare(self, session: Session, table: StagedTable, columns: list[str]) -> int:
        same = " and ".join(f"o.{theirs} = c.{ours}" for ours, theirs in self.key)
        keys = [ours for ours, _ in self.key]
        first = self.key[0][1]
        here = ", ".join(self._given(f"c.{column}", column, f"o.{column}") for column in columns)
        there = ", ".join(f"o.{column}" for column in columns)
        differs = f"row({there}) is distinct from row({here})" if columns else "false"
        if dict(self.settled).get("is_registered") == "true":
            differs += " or not o.is_registered"
        await session.execute(text(f"create temp table {self.changed} (like {table.incoming}) on commit drop"))
        await session.execute(text(f"alter table {self.changed} add column is_known boolean"))
        listed = [*keys, *columns]
        statement = (
            f"insert into {self.changed} ({', '.join(listed)}, is_known)"  # noqa: S608 - constants
            f" select {', '.join(f'c.{column}' for column in listed)}, o.{first} is not null"
            f" from (select distinct on ({', '.join(keys)}) * from {table.incoming} order by {', '.join(keys)}) c"
            f" left join {self.target} o on {same} where o.{first} is null or {differs}"
        )
        await session.execute(text(statement))
        counted = f"select count(*) from (select distinct {', '.join(keys)} from {table.incoming}) k"  # noqa: S608
        total: int = (await session.execute(text(counted))).scalar_one()
        return total

    async def _write(self, session: Session, columns: list[str], origin: Origin) -> None:
        parameters = {"at": origin.at, "source": origin.source, "import_id": origin.import_id}
        settled = dict(self.settled)
        same = " and ".join(f"o.{theirs} = c.{ours}" for ours, theirs in self.key)
        changes = [f"{column} = {self._given(f'c.{column}', column, f'o.{column}')}" for column in columns]
        changes += [f"{name} = {value}" for name, value in settled.items()]
        changes += ["version = o.version + 1"] if self.has_version else []
        update = f"update {self.target} o set {', '.join(changes)} from {self.changed} c where c.is_known and {same}"  # noqa: S608
        needed = {name: value for name, value in self.needed if name not in columns}
        names = (*(theirs for _, theirs in self.key), *columns, *settled, *needed)
        values = (
            *(f"c.{ours}" for ours, _ in self.key),
            *(self._given(f"c.{column}", column, None) for column in columns),
            *settled.values(),
            *needed.values(),
        )
        insert = (
            f"insert into {self.target} ({', '.join(names)})"  # noqa: S608 - constants
            f" select {', '.join(values)} from {self.changed} c where not c.is_known"
        )
        for statement in (update, insert):
            used = {name: value for name, value in parameters.items() if f":{name}" in statement}
            await session.execute(text(statement), used)

    def _given(self, value: str, column: str, known: str | None) -> str:
        """A value of the file; where it is empty and mustn't clear, what is known, and then a word for unknown where an
        entry can't be without one.
        """
        needed = dict(self.needed).get(column)
        stays = known is not None and (needed is not None or not self.empty_clears or column in self.kept)
        values = [value, *([known] if stays and known else []), *([needed] if needed is not None else [])]
        return value if len(values) == 1 else f"coalesce({', '.join(values)})"
