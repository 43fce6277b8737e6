"""Read models: what a service keeps of another's data, made from its feed alone and so made again at any time.

A read model holds nothing that a rebuild couldn't make again: no clock, no random id, nothing from anywhere but events.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, MetaData, Table, Uuid, column, delete, literal_column, select, table, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.selectable import TableClause
from sqlmodel import SQLModel

from kit.calls.declared import Call
from kit.database.sessions import Context, Database, Session, set_context
from kit.events.progress import Place, Side
from kit.events.sources import FollowedEvent, FollowedPage
from kit.ids import PLATFORM

Row = Mapping[str, Any]


class ReadTable:
    """A table of a read model: a view for readers, and two sides for its follower."""

    def __init__(self, name: str, *columns: Column[Any], schema: str | None = None) -> None:
        """`columns` come after `trust_id`, and those of the key say so. With `schema` a migration check compares it."""
        self.name = name
        metadata = SQLModel.metadata if schema else MetaData()
        first = Table(f"{name}_a", metadata, Column("trust_id", Uuid, primary_key=True), *columns, schema=schema)
        second = first.to_metadata(metadata, name=f"{name}_b")
        self._sides: dict[Side, Table] = {"a": first, "b": second}
        self.view: TableClause = table(name, *(column(one.name, one.type) for one in first.columns))

    def side(self, side: Side) -> Table:
        """The table of one side."""
        return self._sides[side]

    async def put(self, session: Session, side: Side, rows: Sequence[Row], *, new: Row | None = None) -> None:
        """Store rows, each in place of the one with its key; `new` are values that only a row which wasn't there gets.

        Columns that a row doesn't name stay as they are.
        """
        target = self._sides[side]
        keys = [one.name for one in target.primary_key]
        for row in rows:
            statement = insert(target).values({**(new or {}), **row})
            changes = {name: statement.excluded[name] for name in row if name not in keys}
            await session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))

    async def remove(self, session: Session, side: Side, **key: object) -> None:
        """Take the rows with these values away."""
        target = self._sides[side]
        await session.execute(delete(target).where(*(target.c[name] == value for name, value in key.items())))


def own_trust(event: FollowedEvent) -> UUID:
    """An event's rows belong to the trust that it concerns."""
    return event.trust


Apply = Callable[[Session, Side, Sequence[FollowedEvent]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ReadModel:
    """What of one source's events is kept, and how.

    `apply` is given the events of one trust in their order, in a transaction under that trust's row-level security,
    and the side to write to; it uses neither clock nor chance. `trust_of` says whose rows an event makes. A change of
    `types` or `apply` raises `version`: the model is then rebuilt when the new release starts.
    """

    call: Call[FollowedPage]
    consumer: str
    types: Sequence[str]
    tables: Sequence[ReadTable]
    apply: Apply
    trust_of: Callable[[FollowedEvent], UUID] = own_trust
    version: int = 1

    @property
    def place(self) -> Place:
        """Whose progress it is."""
        return Place(self.call.callee, self.consumer)


async def trusts_of(session: Session, tables: Sequence[ReadTable], side: Side) -> list[UUID]:
    """The trusts that have rows on one side; as the janitor, who sees their ids and nothing else."""
    found: set[UUID] = set()
    await _as_janitor(session)
    for one in tables:
        target = one.side(side)
        found |= set((await session.execute(select(target.c.trust_id).distinct())).scalars())
    await session.execute(text("set local role none"))
    return sorted(found)


async def empty_side(session: Session, tables: Sequence[ReadTable], side: Side) -> None:
    """Remove every trust's rows from the side that nobody reads; row-level security keeps the other as it is."""
    await _as_janitor(session)
    for one in tables:
        await session.execute(delete(one.side(side)))
    await session.execute(text("set local role none"))


async def digest(database: Database, model: ReadModel) -> str:
    """A hash of everything that readers see of the model, of all trusts: equal models have equal hashes."""
    context = Context(PLATFORM, None, f"follower:{model.consumer}")
    parts: list[str] = []
    async with database.session(context) as session:
        side = (await model.place.read(session)).side
        for trust_id in await trusts_of(session, model.tables, side):
            await set_context(session, Context(trust_id, None, context.subject))
            for one in model.tables:
                row: ColumnElement[str] = literal_column(f"{one.name}::text")
                lines = (await session.execute(select(row).select_from(one.view))).scalars()
                parts += [f"{one.name} {line}" for line in sorted(lines)]
        hashed = await session.execute(
            text("select encode(sha256(convert_to(:lines, 'UTF8')), 'hex')"), {"lines": "\n".join(parts)}
        )
        return str(hashed.scalar_one())


async def _as_janitor(session: Session) -> None:
    schema = (await session.execute(text("select current_schema()"))).scalar_one()
    await session.execute(text(f"set local role {schema}_janitor"))
