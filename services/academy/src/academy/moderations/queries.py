"""All SQL about moderations."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Row, Text, Uuid, and_, column, select, table
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col

from academy.criteria.documents import RulesDocument
from academy.criteria.tables import CriteriaSet
from academy.moderations.tables import Moderation
from academy.rag_statuses.tables import RagStatus
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import AnySelect
from kit.resources.rows import visible

# Ratings build on moderations; what is needed of them here is named without their class.
RATING = table(
    "rating",
    *(column("trust_id", Uuid), column("id", Uuid), column("urn", Integer), column("status", Text)),
    *(column("step", JSONB), column("criteria_set_id", Uuid)),
    schema="academy",
)
ITS_RULES = and_(col(CriteriaSet.trust_id) == RATING.c.trust_id, col(CriteriaSet.id) == RATING.c.criteria_set_id)

# As the database has it now, whatever this transaction read before.
FRESH = {"populate_existing": True}

Found = Row[Moderation, RulesDocument | None]


def counts_on(day: date) -> ColumnElement[bool]:
    """Is it in force on this day?"""
    return and_(col(Moderation.ended_at).is_(None), col(Moderation.lapses_on) >= day)


def moderations(caller: Caller, today: date) -> AnySelect:
    """The overrides that the caller may see, each of one in force with the rules that rate its academy now."""
    of_academy = and_(col(RagStatus.trust_id) == Moderation.trust_id, col(RagStatus.urn) == Moderation.urn)
    return (
        visible(Moderation, caller)
        .add_columns(col(CriteriaSet.rules))
        .outerjoin(RagStatus, and_(counts_on(today), of_academy))
        .outerjoin(RATING, and_(RATING.c.trust_id == RagStatus.trust_id, RATING.c.id == RagStatus.rating_id))
        .outerjoin(CriteriaSet, ITS_RULES)
    )


async def moderation(session: Session, caller: Caller, moderation_id: UUID, today: date) -> Found | None:
    """One override, as it is now; None when there is none that the caller may see."""
    statement = moderations(caller, today).where(col(Moderation.id) == moderation_id)
    found: Found | None = (await session.execute(statement, execution_options=FRESH)).one_or_none()
    return found


async def in_force(session: Session, caller: Caller, urn: int, today: date) -> Found | None:
    """The override that counts for an academy today."""
    statement = moderations(caller, today).where(col(Moderation.urn) == urn, counts_on(today))
    found: Found | None = (await session.execute(statement, execution_options=FRESH)).one_or_none()
    return found


async def open_of(session: Session, trust_id: UUID, urns: Sequence[int]) -> list[Moderation]:
    """What hasn't ended for these academies, also what has lapsed by its date; nobody else ends it meanwhile."""
    statement = select(Moderation).where(
        col(Moderation.trust_id) == trust_id, col(Moderation.urn).in_(urns), col(Moderation.ended_at).is_(None)
    )
    return list((await session.execute(statement.with_for_update(), execution_options=FRESH)).scalars())


async def overdue(session: Session, trust_id: UUID, today: date) -> Sequence[UUID]:
    """The overrides whose last day is over and that nothing has ended."""
    statement = select(col(Moderation.id)).where(
        col(Moderation.trust_id) == trust_id, col(Moderation.ended_at).is_(None), col(Moderation.lapses_on) < today
    )
    return (await session.execute(statement.order_by(col(Moderation.lapses_on), col(Moderation.id)))).scalars().all()


async def in_force_of(session: Session, trust_id: UUID, urns: Sequence[int], today: date) -> dict[int, Moderation]:
    """The overrides that count for these academies today, by URN."""
    statement = select(Moderation).where(
        col(Moderation.trust_id) == trust_id, col(Moderation.urn).in_(urns), counts_on(today)
    )
    return {one.urn: one for one in (await session.execute(statement)).scalars()}


Rated = Row[int, str, dict[str, Any] | None, RulesDocument]
"""Academy, computed status and step, and the rules that it was rated by."""

_RATED = select(RATING.c.urn, RATING.c.status, RATING.c.step, col(CriteriaSet.rules)).join(CriteriaSet, ITS_RULES)


async def rating(session: Session, caller: Caller, rating_id: UUID) -> Rated | None:
    """What a rating says that the caller may see."""
    statement = _RATED.where(RATING.c.trust_id == caller.tenant_id, RATING.c.id == rating_id)
    if caller.academies is not None:
        statement = statement.where(RATING.c.urn.in_(sorted(caller.academies)))
    return (await session.execute(statement)).one_or_none()


async def newest_rating(session: Session, trust_id: UUID, urn: int) -> Rated | None:
    """What is computed for an academy now; None when nothing is."""
    newest = select(col(RagStatus.rating_id)).where(col(RagStatus.trust_id) == trust_id, col(RagStatus.urn) == urn)
    statement = _RATED.where(RATING.c.trust_id == trust_id, RATING.c.id == newest.scalar_subquery())
    return (await session.execute(statement)).one_or_none()
