"""All SQL about moderations; each statement names the trust beside row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from academy.criteria.documents import step_on_scale
from academy.moderations.tables import Moderation
from kit.database.sessions import Session
from kit.identity.callers import Caller

_VISIBLE = """
    m.trust_id = :trust_id and (cast(:academies as int[]) is null or m.urn = any(cast(:academies as int[])))
"""

_COLUMNS = """
    m.id::text as id, m.urn, m.rating_id::text as rating_id, m.status, m.step::text as step, m.computed_status,
    m.reason, m.evidence_url,
    m.lapses_on, coalesce(m.ended_how, case when m.lapses_on < :today then 'lapsed' else 'in_force' end) as state,
    m.made_at, m.made_by, m.ended_at, m.ended_by, m.ended_reason, m.version,
    case when c.id is not null then coalesce(c.rules -> 'scale', 'null')::text end as scale
"""

# Of one in force, with the scale that its academy is rated by now.
_FROM = """
    academy.moderation m
    left join academy.rag_status rs
        on m.ended_at is null and m.lapses_on >= :today and rs.trust_id = m.trust_id and rs.urn = m.urn
    left join academy.rating r on r.trust_id = rs.trust_id and r.id = rs.rating_id
    left join academy.criteria_set c on c.trust_id = r.trust_id and c.id = r.criteria_set_id
"""

_ONE = text(f"select {_COLUMNS} from {_FROM} where {_VISIBLE} and m.id = :id")  # noqa: S608
_IN_FORCE = text(
    f"select {_COLUMNS} from {_FROM} where {_VISIBLE} and m.urn = :urn and m.ended_at is null"  # noqa: S608
    " and m.lapses_on >= :today"
)
_LIST = text(
    f"""
    select {_COLUMNS} from {_FROM} where {_VISIBLE} and m.urn = :urn
      and (cast(:after_at as timestamptz) is null or (m.made_at, m.id) < (:after_at, cast(:after_id as uuid)))
    order by m.made_at desc, m.id desc limit :limit
    """  # noqa: S608 - constants of this module
)

_RATING = text(
    """
    select r.urn, r.status, coalesce(c.rules -> 'scale', 'null')::text as scale
    from academy.rating r
    join academy.criteria_set c on c.trust_id = r.trust_id and c.id = r.criteria_set_id
    where r.trust_id = :trust_id and r.id = :rating_id
      and (cast(:academies as int[]) is null or r.urn = any(cast(:academies as int[])))
    """
)

_END = text(
    """
    update academy.moderation m set ended_at = :at, ended_by = :by, ended_how = :how, ended_reason = :reason,
        version = m.version + 1
    where m.trust_id = :trust_id and m.ended_at is null and m.urn = any(cast(:urns as int[]))
    returning m.id, m.urn, m.status
    """
)

_COMPUTED = text(
    """
    select r.status from academy.rag_status rs
    join academy.rating r on r.trust_id = rs.trust_id and r.id = rs.rating_id
    where rs.trust_id = :trust_id and rs.urn = :urn
    """
)

_KNOWN = text(
    """
    select exists (
        select from academy.membership m
        where m.register_id = :trust_id and m.urn = :urn and m.superseded_at is null
          and m.joined_on <= :today and (m.left_on is null or m.left_on > :today)
    )
    """
)


def visible_to(caller: Caller) -> dict[str, Any]:
    """The trust and the academies that the caller's grant covers (null for all), as parameters."""
    academies = None if caller.academies is None else sorted(caller.academies)
    return {"trust_id": caller.tenant_id, "academies": academies}


def _told(row: Any) -> dict[str, Any]:
    """A row as it is read. Its step is that of the scale in force, and its version says so where it isn't as given."""
    told = dict(row)
    scale, given = told.pop("scale"), orjson.loads(told["step"])
    told["step"] = given if scale is None else step_on_scale(given, told["status"], {"scale": orjson.loads(scale)})
    told["version"] = str(told["version"])
    if told["step"] != given:
        told["version"] += f".{told['step']['code']}.{told['step']['order']}"
    return told


async def moderation(session: Session, caller: Caller, moderation_id: UUID, today: date) -> dict[str, Any] | None:
    """One moderation with its `version`; None when there is none that the caller may see."""
    parameters = {**visible_to(caller), "id": moderation_id, "today": today}
    row = (await session.execute(_ONE, parameters)).mappings().one_or_none()
    return None if row is None else _told(row)


async def in_force(session: Session, caller: Caller, urn: int, today: date) -> dict[str, Any] | None:
    """The override that counts for an academy today."""
    parameters = {**visible_to(caller), "urn": urn, "today": today}
    row = (await session.execute(_IN_FORCE, parameters)).mappings().one_or_none()
    return None if row is None else _told(row)


async def moderations(
    session: Session, caller: Caller, urn: int, today: date, *, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """The moderations of one academy, newest first, after the one whose instant and id are `after`."""
    rows = await session.execute(
        _LIST,
        {
            **visible_to(caller),
            "urn": urn,
            "today": today,
            "after_at": None if after is None else datetime.fromisoformat(after[0]),
            "after_id": None if after is None else after[1],
            "limit": limit,
        },
    )
    return [_told(row) for row in rows.mappings()]


async def rating(
    session: Session, caller: Caller, rating_id: UUID
) -> tuple[int, str, list[dict[str, Any]] | None] | None:
    """Academy, computed status and scale (None for the usual one) of a rating that the caller may see."""
    row = (await session.execute(_RATING, {**visible_to(caller), "rating_id": rating_id})).one_or_none()
    return None if row is None else (row.urn, row.status, orjson.loads(row.scale))


async def add(session: Session, made: Moderation) -> None:
    """Keep a new moderation."""
    session.add(made)
    await session.flush()


async def end(
    session: Session,
    trust_id: UUID,
    urns: Sequence[int],
    *,
    how: str,
    by: str | None,
    at: datetime,
    reason: str | None = None,
) -> list[tuple[UUID, int, str]]:
    """End what is in force for these academies; gives id, academy and status of each that ended."""
    parameters = {"trust_id": trust_id, "urns": list(urns), "how": how, "by": by, "at": at, "reason": reason}
    return [(row.id, row.urn, row.status) for row in await session.execute(_END, parameters)]


async def computed_status(session: Session, trust_id: UUID, urn: int) -> str:
    """What is computed for an academy now; `not_assessed` when nothing is."""
    found = (await session.execute(_COMPUTED, {"trust_id": trust_id, "urn": urn})).scalar_one_or_none()
    return found or "not_assessed"


async def belongs(session: Session, caller: Caller, urn: int, today: date) -> bool:
    """Is it an academy of the caller's trust today, and covered by the grant?"""
    if not caller.sees_academy(urn):
        return False
    found = await session.execute(_KNOWN, {"trust_id": caller.tenant_id, "urn": urn, "today": today})
    return bool(found.scalar_one())
