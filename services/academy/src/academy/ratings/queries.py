"""SQL that keeps and finds ratings; each statement names the trust beside row-level security.

What rates a whole trust again is a hot path (ADR 0070) and SQL; what clients read goes through the table classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, and_, exists, text
from sqlmodel import col

from academy.criteria.tables import CriteriaSet
from academy.rag_statuses.tables import RagStatus
from academy.ratings.computing import Computed
from academy.ratings.schemas import RatingOut
from academy.ratings.tables import Rating
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import AnySelect
from kit.resources.rows import visible
from kit.steps import in_steps


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest rating of an academy in short: what the next one is compared with."""

    id: UUID
    status: str
    content_sha256: bytes
    phase: str
    criteria_set_id: UUID


_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")

_NEWEST = text(
    """
    select rs.urn, r.id, r.status, r.content_sha256, r.phase, r.criteria_set_id
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


# What the register says now before what it said: an academy may be announced that never belonged after all.
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


async def newest_ratings(session: Session, trust_id: UUID) -> dict[int, Newest]:
    """The newest rating of each academy in short, by URN."""
    rows = await session.execute(_NEWEST, {"trust_id": trust_id})
    return {
        row.urn: Newest(row.id, row.status, bytes(row.content_sha256), row.phase, row.criteria_set_id) for row in rows
    }


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
            "whys": [one.why for one in ratings],
            "criteria": [orjson.dumps(one.criteria).decode() for one in ratings],
            "contents": [content for _, content in computed],
            "data_as_at": [one.data_as_at for one in ratings],
        },
    )
    return ids


def ratings(caller: Caller) -> AnySelect:
    """The ratings that the caller may see, each with the criteria set that decided."""
    its_set = and_(col(CriteriaSet.trust_id) == Rating.trust_id, col(CriteriaSet.id) == Rating.criteria_set_id)
    return visible(Rating, caller).add_columns(CriteriaSet).join(CriteriaSet, its_set)


def ratings_of(caller: Caller, urn: int, as_of: datetime | None) -> AnySelect:
    """The ratings of one academy, those computed after `as_of` left out."""
    statement = ratings(caller).where(col(Rating.urn) == urn)
    return statement if as_of is None else statement.where(col(Rating.rated_at) <= as_of)


_SHOWN = and_(
    col(RagStatus.trust_id) == Rating.trust_id,
    col(RagStatus.urn) == Rating.urn,
    col(RagStatus.rating_id) == Rating.id,
    col(RagStatus.left_at).is_(None),
)


async def rating(session: Session, caller: Caller, rating_id: UUID) -> Row[Rating, CriteriaSet, bool] | None:
    """One rating with its set, and whether a board shows it now; None when there is none that the caller may see."""
    statement = ratings(caller).add_columns(exists().where(_SHOWN)).where(col(Rating.id) == rating_id)
    found: Row[Rating, CriteriaSet, bool] | None = (await session.execute(statement)).one_or_none()
    return found


async def ratings_shown(session: Session, caller: Caller) -> dict[int, RatingOut]:
    """The newest rating of each academy that the caller may see, by URN."""
    rows = (await session.execute(ratings(caller).where(exists().where(_SHOWN)))).all()
    shown = await in_steps(RatingOut.of(rating, criteria_set) for rating, criteria_set in rows)
    return {rating.urn: rating for rating in shown}
