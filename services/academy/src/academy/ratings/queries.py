"""SQL that keeps and finds ratings; each statement names the trust beside row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from academy.ratings.computing import Computed, number
from academy.ratings.schemas import RatingOut
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")

_TOLD = text(
    """
    select rs.urn, r.id, r.status, r.content_sha256
    from academy.rag_status rs join academy.rating r on r.trust_id = rs.trust_id and r.id = rs.rating_id
    where rs.trust_id = :trust_id
    """
)

_KEEP = text(
    """
    insert into academy.rating (trust_id, id, urn, phase, criteria_set_id, status, step, counts, assessed_percent,
        points_percent, limited_by, why, criteria, content_sha256, data_as_at, rated_at)
    select :trust_id, n.id, n.urn, n.phase, n.criteria_set_id, n.status, n.step::jsonb, n.counts::jsonb,
        n.assessed_percent, n.points_percent, array(select jsonb_array_elements_text(n.limited_by::jsonb)), n.why,
        n.criteria::jsonb, n.content_sha256, n.data_as_at, :rated_at
    from unnest(cast(:ids as uuid[]), cast(:urns as int[]), cast(:phases as text[]), cast(:set_ids as uuid[]),
        cast(:statuses as text[]), cast(:steps as text[]), cast(:counts as text[]), cast(:assessed as numeric[]),
        cast(:points as numeric[]), cast(:limited_by as text[]), cast(:whys as text[]), cast(:criteria as text[]),
        cast(:contents as bytea[]), cast(:data_as_at as timestamptz[]))
        as n (id, urn, phase, criteria_set_id, status, step, counts, assessed_percent, points_percent, limited_by,
              why, criteria, content_sha256, data_as_at)
    """
)


_IS_DUE = text(
    """
    select exists (
        select from procrastinate_jobs j
        where j.task_name = :task and j.status = 'todo' and j.scheduled_at = :at
          and j.args ->> 'trust_id' = cast(:trust_id as text)
    )
    """
)


async def is_due(session: Session, task: str, trust_id: UUID, at: datetime) -> bool:
    """Is this task queued already for the trust at that instant?"""
    found = await session.execute(_IS_DUE, {"task": task, "trust_id": str(trust_id), "at": at})
    return bool(found.scalar_one())


# What the register says now before what it said: an academy may be told of that never belonged after all.
_MEMBERSHIPS = text(
    """
    select distinct on (m.urn) m.urn, m.joined_on, m.left_on, m.import_id, s.la_name as local_authority,
        s.la_code as local_authority_code
    from academy.membership m left join academy.school s on s.urn = m.urn
    where m.register_id = :trust_id and m.urn = any(cast(:urns as int[]))
    order by m.urn, m.superseded_at desc nulls first, m.joined_on <= :today desc, m.joined_on desc
    """
)


async def memberships(session: Session, trust_id: UUID, urns: Sequence[int], today: date) -> list[dict[str, Any]]:
    """The present or else the latest membership of each of these academies, with where it is; by URN."""
    if not urns:
        return []
    rows = await session.execute(_MEMBERSHIPS, {"trust_id": trust_id, "urns": list(urns), "today": today})
    return [dict(row) for row in rows.mappings()]


async def one_at_a_time(session: Session, trust_id: UUID) -> None:
    """Wait until nobody else rates this trust; until the end of the transaction nobody else begins."""
    await session.execute(_LOCK, {"name": f"rerate {trust_id}"})


async def told_ratings(session: Session, trust_id: UUID) -> dict[int, tuple[UUID, str, bytes]]:
    """Id, status and content of the rating that is told of each academy, by URN."""
    rows = await session.execute(_TOLD, {"trust_id": trust_id})
    return {row.urn: (row.id, row.status, bytes(row.content_sha256)) for row in rows}


async def keep(
    session: Session, trust_id: UUID, computed: Sequence[tuple[Computed, bytes]], *, rated_at: datetime
) -> dict[int, UUID]:
    """Keep these ratings with the hash of what they say; gives the id of each by URN."""
    if not computed:
        return {}
    ids = {one.urn: uuid7() for one, _ in computed}
    ratings = [one for one, _ in computed]
    await session.execute(
        _KEEP,
        {
            "trust_id": trust_id,
            "rated_at": rated_at,
            "ids": list(ids.values()),
            "urns": list(ids),
            "phases": [one.phase for one in ratings],
            "set_ids": [one.criteria_set.id for one in ratings],
            "statuses": [one.status for one in ratings],
            "steps": [None if one.step is None else orjson.dumps(one.step).decode() for one in ratings],
            "counts": [orjson.dumps(one.counts).decode() for one in ratings],
            "assessed": [one.outcome.assessed_percent for one in ratings],
            "points": [one.outcome.points_percent for one in ratings],
            "limited_by": [orjson.dumps(one.outcome.limited_by).decode() for one in ratings],
            "whys": [one.outcome.why for one in ratings],
            "criteria": [orjson.dumps(one.criteria).decode() for one in ratings],
            "contents": [content for _, content in computed],
            "data_as_at": [one.data_as_at for one in ratings],
        },
    )
    return ids


_COLUMNS = """
    r.id::text as id, r.urn, r.phase, r.status, r.step::text as step, r.counts::text as counts, r.assessed_percent,
    r.points_percent, r.limited_by, r.why, r.criteria::text as criteria, r.data_as_at, r.rated_at,
    c.id::text as criteria_set_id, c.title as criteria_set_title, c.number as criteria_set_number,
    (c.rules -> 'overall')::text as overall
"""

_FROM = """
    from academy.rating r
    join academy.criteria_set c on c.trust_id = r.trust_id and c.id = r.criteria_set_id
    where r.trust_id = :trust_id and (cast(:academies as int[]) is null or r.urn = any(cast(:academies as int[])))
"""

_ONE = text(
    f"""
    select {_COLUMNS}, exists (
        select from academy.rag_status rs
        where rs.trust_id = r.trust_id and rs.urn = r.urn and rs.rating_id = r.id and rs.left_at is null
    ) as is_current
    {_FROM} and r.id = :rating_id
    """  # noqa: S608 - constants of this module
)

_HISTORY = text(
    f"""
    select {_COLUMNS} {_FROM} and r.urn = :urn
      and (cast(:as_of as timestamptz) is null or r.rated_at <= :as_of)
      and (cast(:after_at as timestamptz) is null or (r.rated_at, r.id) < (:after_at, cast(:after_id as uuid)))
    order by r.rated_at desc, r.id desc limit :limit
    """
)

_SHOWN = text(
    f"""
    select {_COLUMNS} {_FROM} and r.id in (
        select rs.rating_id from academy.rag_status rs where rs.trust_id = :trust_id and rs.left_at is null
    )
    """  # noqa: S608 - constants of this module
)


def visible_to(caller: Caller) -> dict[str, Any]:
    """The trust and the academies that the caller's grant covers (null for all), as parameters."""
    academies = None if caller.academies is None else sorted(caller.academies)
    return {"trust_id": caller.tenant_id, "academies": academies}


async def rating(session: Session, caller: Caller, rating_id: UUID) -> dict[str, Any] | None:
    """One rating; None when there is none that the caller may see."""
    row = (await session.execute(_ONE, {**visible_to(caller), "rating_id": rating_id})).mappings().one_or_none()
    return None if row is None else told(dict(row))


async def history(
    session: Session,
    caller: Caller,
    urn: int,
    *,
    as_of: datetime | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The ratings of one academy, newest first, after the one whose instant and id are `after`."""
    rows = await session.execute(
        _HISTORY,
        {
            **visible_to(caller),
            "urn": urn,
            "as_of": as_of,
            "after_at": None if after is None else datetime.fromisoformat(after[0]),
            "after_id": None if after is None else after[1],
            "limit": limit,
        },
    )
    return [told(dict(row)) for row in rows.mappings()]


async def ratings_shown(session: Session, caller: Caller) -> dict[int, RatingOut]:
    """The newest rating of each academy that the caller may see, by URN."""
    rows = await session.execute(_SHOWN, visible_to(caller))
    return {row["urn"]: RatingOut.model_validate(told(dict(row))) for row in rows.mappings()}


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a rating as clients read it."""
    step = None if row["step"] is None else orjson.loads(row["step"])
    overall = orjson.loads(row["overall"])
    told_row = {
        "id": row["id"],
        "urn": row["urn"],
        "phase": row["phase"],
        "status": row["status"],
        "label": step["label"] if step else "Not assessed",
        "step": step,
        "counts": orjson.loads(row["counts"]),
        "criteria_set": {
            "id": row["criteria_set_id"],
            "title": row["criteria_set_title"],
            "version": row["criteria_set_number"],
        },
        "overall": {
            **overall,
            "assessed_percent": number(row["assessed_percent"]),
            "points_percent": number(row["points_percent"]),
            "limited_by": row["limited_by"],
            "why": row["why"],
        },
        # Ratings never alter: one that was kept before a field was told has no value for it.
        "criteria": [{"deciding_bound": None, **criterion} for criterion in orjson.loads(row["criteria"])],
        "rated_at": row["rated_at"],
        "data_as_at": row["data_as_at"],
    }
    if "is_current" in row:
        told_row["is_current"] = row["is_current"]
    return told_row
