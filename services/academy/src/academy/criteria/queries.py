"""All SQL about criteria sets. They concern a whole trust: each of its callers with the scope sees all of them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from academy.criteria.tables import CriteriaSet, RatedTrust
from kit.database.sessions import Connection, Session
from kit.identity.callers import Caller
from kit.ids import PLATFORM
from kit.resources.paging import AnySelect
from kit.resources.rows import hold, visible

# For the janitor, who reads through a plain connection.
_TRUSTS_HERE = """
    select r.trust_id from academy.rated_trust r
    union select g.trust_id from academy.identity_grant_a g where g.trust_id <> $1
    union select g.trust_id from academy.identity_grant_b g where g.trust_id <> $1
    order by 1
"""


def criteria_sets(caller: Caller, *, phases: Sequence[str], states: Sequence[str]) -> AnySelect:
    """The sets of the caller's trust, of these phases and in these states; of all where none is named."""
    statement = visible(CriteriaSet, caller)
    if phases:
        statement = statement.where(col(CriteriaSet.phase).in_(phases))
    return statement.where(col(CriteriaSet.state).in_(states)) if states else statement


def _of_phase(trust_id: UUID, phase: str) -> ColumnElement[bool]:
    return (col(CriteriaSet.trust_id) == trust_id) & (col(CriteriaSet.phase) == phase)


async def next_number(session: Session, trust_id: UUID, phase: str) -> int:
    """The number of a new set of the phase; two who ask at once wait for each other."""
    await hold(session, "criteria_set", trust_id, phase)
    newest = select(func.max(col(CriteriaSet.number))).where(_of_phase(trust_id, phase))
    return ((await session.execute(newest)).scalar_one() or 0) + 1


async def published_set(session: Session, trust_id: UUID, phase: str) -> CriteriaSet | None:
    """The published set of the phase; nobody else retires it meanwhile."""
    statement = (
        select(CriteriaSet)
        .where(_of_phase(trust_id, phase), col(CriteriaSet.state) == "published")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def published_sets(session: Session, trust_id: UUID) -> list[CriteriaSet]:
    """The published sets of a trust, one a phase at most."""
    published = (col(CriteriaSet.trust_id) == trust_id) & (col(CriteriaSet.state) == "published")
    return list((await session.execute(select(CriteriaSet).where(published))).scalars())


async def sets_by_id(session: Session, trust_id: UUID, ids: Collection[UUID]) -> list[CriteriaSet]:
    """These sets of a trust, in whatever state they are."""
    named = (col(CriteriaSet.trust_id) == trust_id) & col(CriteriaSet.id).in_(ids)
    return list((await session.execute(select(CriteriaSet).where(named))).scalars())


async def note_rated(session: Session, trust_id: UUID, *, at: datetime) -> None:
    """Note that the trust rates its academies: national imports then rate them again."""
    await session.execute(insert(RatedTrust).values(trust_id=trust_id, since=at).on_conflict_do_nothing())


async def trusts_here(connection: Connection) -> Sequence[UUID]:
    """The trusts that have criteria, people or clients, for the janitor: scheduled work is queued for each."""
    return [row["trust_id"] for row in await connection.fetch(_TRUSTS_HERE, PLATFORM)]
