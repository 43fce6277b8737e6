"""All SQL about criteria sets. They concern a whole trust: each of its callers with the scope sees all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, delete, func, select, text, tuple_, update
from sqlalchemy.sql import Select
from sqlmodel import col

from academy.criteria.tables import CriteriaSet
from kit.database.sessions import Connection, Session
from kit.identity.callers import Caller

_LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
_RATED_TRUSTS = "select trust_id from academy.rated_trust order by trust_id"
_RATE = text("insert into academy.rated_trust (trust_id, since) values (:trust_id, :now) on conflict do nothing")


def visible_to(caller: Caller) -> Select[CriteriaSet]:
    """The criteria sets of the caller's trust."""
    return select(CriteriaSet).where(of_trust(caller.tenant_id))


def of_trust(trust_id: UUID) -> ColumnElement[bool]:
    """Of this trust: said in every statement, beside row-level security."""
    return col(CriteriaSet.trust_id) == trust_id


async def criteria_sets(
    session: Session,
    caller: Caller,
    *,
    phases: Sequence[str],
    states: Sequence[str],
    after: Sequence[Any] | None,
    limit: int,
) -> list[CriteriaSet]:
    """Sets by phase, newest number first, after the one whose phase and number are `after`."""
    wanted = visible_to(caller)
    if phases:
        wanted = wanted.where(col(CriteriaSet.phase).in_(phases))
    if states:
        wanted = wanted.where(col(CriteriaSet.state).in_(states))
    if after is not None:
        wanted = wanted.where(tuple_(col(CriteriaSet.phase), -col(CriteriaSet.number)) > (after[0], -int(after[1])))
    wanted = wanted.order_by(col(CriteriaSet.phase), col(CriteriaSet.number).desc()).limit(limit)
    return list((await session.execute(wanted)).scalars())


async def criteria_set(
    session: Session, caller: Caller, set_id: UUID, *, for_update: bool = False
) -> CriteriaSet | None:
    """One set; `for_update` holds it until the end of the transaction."""
    wanted = visible_to(caller).where(col(CriteriaSet.id) == set_id)
    if for_update:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return (await session.execute(wanted)).scalar_one_or_none()


async def next_number(session: Session, trust_id: UUID, phase: str) -> int:
    """The number of a new set of the phase; two who ask at once wait for each other."""
    await session.execute(_LOCK, {"name": f"criteria_set {trust_id} {phase}"})
    newest = select(func.max(col(CriteriaSet.number))).where(of_trust(trust_id), col(CriteriaSet.phase) == phase)
    return ((await session.execute(newest)).scalar_one() or 0) + 1


async def retire_published(session: Session, trust_id: UUID, phase: str, *, at: datetime) -> CriteriaSet | None:
    """Retire the published set of the phase; gives it, None when there was none."""
    retire = (
        update(CriteriaSet)
        .where(of_trust(trust_id), col(CriteriaSet.phase) == phase, col(CriteriaSet.state) == "published")
        .values(state="retired", retired_at=at, version=CriteriaSet.version + 1)
        .returning(CriteriaSet)
        .execution_options(populate_existing=True)
    )
    return (await session.execute(retire)).scalar_one_or_none()


async def remove(session: Session, trust_id: UUID, set_id: UUID) -> None:
    """Delete a draft."""
    await session.execute(delete(CriteriaSet).where(of_trust(trust_id), col(CriteriaSet.id) == set_id))


async def note_rated(session: Session, trust_id: UUID, *, at: datetime) -> None:
    """Note that the trust rates its academies: national imports then rate them again."""
    await session.execute(_RATE, {"trust_id": trust_id, "now": at})


_PUBLISHED = text(
    """
    select c.id, c.phase, c.title, c.number, c.rules::text as rules from academy.criteria_set c
    where c.trust_id = :trust_id and c.state = 'published'
    """
)


async def published_sets(session: Session, trust_id: UUID) -> list[dict[str, Any]]:
    """The published sets of a trust, with their rules as documents."""
    rows = (await session.execute(_PUBLISHED, {"trust_id": trust_id})).mappings()
    return [{**row, "rules": orjson.loads(row["rules"])} for row in rows]


async def rated_trusts(connection: Connection) -> Sequence[UUID]:
    """The trusts that have criteria, for the janitor: scheduled work is queued for each."""
    return [row["trust_id"] for row in await connection.fetch(_RATED_TRUSTS)]
