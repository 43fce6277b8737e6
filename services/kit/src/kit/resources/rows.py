"""Rows of a tenant table as a caller may see them, and one of them held.

Row-level security decides in the database; these say the same once more in every statement, so that either can fail
without a leak.
"""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, or_, select, text
from sqlmodel import col

from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.identity.reach import check_whole_trust
from kit.schema.tables import TenantTable

Row = TypeVar("Row", bound=TenantTable)

_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")


def visible(table: type[Row], caller: Caller) -> Select[Row]:
    """A statement for the rows of the caller's trust that its grant covers."""
    statement = select(table).where(col(table.trust_id) == caller.tenant_id)
    access = table.__access__
    if access.urn is not None and caller.academies is not None:
        urn = getattr(table, access.urn)
        covered = urn.in_(sorted(caller.academies))
        statement = statement.where(or_(urn.is_(None), covered) if access.urn_optional else covered)
    return statement


async def find(session: Session, caller: Caller, table: type[Row], id_: UUID, *, lock: bool = False) -> Row | None:
    """One row that the caller may see; with `lock` nobody else changes it until the transaction ends.

    With `lock` it raises WholeTrustOnly for a row of the whole trust that the caller sees and may not change.
    """
    statement = visible(table, caller).where(col(table.id) == id_)
    if lock:
        # What was read before the lock may be older than the row that the lock waited for.
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = (await session.execute(statement)).scalar_one_or_none()
    if found is None and lock and table.__access__.writes_need_whole_trust:
        # The database holds no row for somebody who may not write it: is it one of those?
        seen = visible(table, caller).where(col(table.id) == id_)
        if (await session.execute(seen)).scalar_one_or_none() is not None:
            check_whole_trust(caller)
    return found


async def add(session: Session, row: Row) -> Row:
    """Keep a new row; what the database refuses is raised here and not at the end."""
    session.add(row)
    await session.flush()
    return row


async def hold(session: Session, name: str, *parts: object) -> None:
    """Let nobody else hold the same name until this transaction ends, for what no row stands for yet."""
    await session.execute(_HOLD, {"name": ":".join([name, *(str(part) for part in parts)])})
