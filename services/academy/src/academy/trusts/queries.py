"""All SQL about trusts. The register belongs to no trust: every caller with the scope sees all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from academy.parameters import escaped
from kit.database.sessions import Session

_COLUMNS = """
    t.id::text, t.group_uid, t.group_id, t.name, t.kind, t.companies_house_number, t.ukprn, t.status,
    t.opened_on, t.closed_on, (
        select count(distinct m.urn) from academy.membership m
        where m.register_id = t.id and m.superseded_at is null and m.joined_on <= :today
          and (m.left_on is null or m.left_on > :today)
    ) as academy_count, t.updated_at
"""

_LIST = """
    select {columns} from academy.trust_register t
    where (cast(:pattern as text) is null or t.name ilike :pattern or :q in (t.group_uid, t.ukprn,
            t.companies_house_number) or upper(:q) = t.group_id)
      and (cardinality(cast(:kinds as text[])) = 0 or t.kind = any(cast(:kinds as text[])))
      and (cardinality(cast(:statuses as text[])) = 0 or t.status = any(cast(:statuses as text[])))
      and (cast(:after_name as text) is null or (t.name, t.id) {beyond} (:after_name, cast(:after_id as uuid)))
    order by t.name {order}, t.id {order} limit :limit
"""

_ONE = text(f"select {_COLUMNS} from academy.trust_register t where t.id = :id")  # noqa: S608 - constants

_NAMED = text(
    "select id from academy.trust_register where group_uid = :name or group_id = upper(:name)"
    " or id = cast(:id as uuid) order by group_uid = :name desc limit 1"
)


async def trust_list(
    session: Session,
    *,
    today: date,
    q: str | None,
    kinds: Sequence[str],
    statuses: Sequence[str],
    descending: bool,
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Trusts by name, after the one whose name and id are `after`."""
    statement = _LIST.format(columns=_COLUMNS, beyond="<" if descending else ">", order="desc" if descending else "asc")
    rows = await session.execute(
        text(statement),
        {
            "today": today,
            "pattern": None if q is None else f"%{escaped(q)}%",
            "q": q,
            "kinds": list(kinds),
            "statuses": list(statuses),
            "after_name": after[0] if after else None,
            "after_id": after[1] if after else None,
            "limit": limit,
        },
    )
    return [dict(row) for row in rows.mappings()]


async def trust_view(session: Session, trust_id: UUID, *, today: date) -> dict[str, Any] | None:
    """One trust."""
    row = (await session.execute(_ONE, {"id": trust_id, "today": today})).mappings().one_or_none()
    return None if row is None else dict(row)


async def trust_named(session: Session, name: str, *, trust_id: UUID | None) -> UUID | None:
    """The trust with this Group UID, TR reference or id."""
    found: UUID | None = (await session.execute(_NAMED, {"name": name, "id": trust_id})).scalar_one_or_none()
    return found
