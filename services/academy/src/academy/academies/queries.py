"""All SQL about the register of schools. It belongs to no trust: every caller with the scope sees all of it."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, exists, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased
from sqlmodel import col

from academy.academies import schemas
from academy.academies.tables import Inspection, School, SchoolLink
from academy.trusts.queries import belongs_on, is_proposed
from academy.trusts.tables import Membership, TrustRegister
from kit.database.sessions import Session
from kit.resources.paging import AnySelect
from sector.days import day_in_london
from sector.laestabs import plain_laestab

# Seven digits at most are a URN (`school_urn_range`).
_URN = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
CURRENT = col(Membership.superseded_at).is_(None)
"""A membership that nothing has taken the place of."""


def schools(today: date) -> AnySelect:
    """Every school with its membership of today and that one's trust; null where it belongs to none."""
    return in_any_trust(today)[0]


# Statements are kept once they are built: building one takes longer than all else that a short list costs (ADR 0117).
@lru_cache(maxsize=8)
def in_any_trust(today: date) -> tuple[AnySelect, Any]:
    """Every school as `schools` has it, and its membership to filter by."""
    present = (
        select(Membership)
        .where(col(Membership.urn) == School.urn, belongs_on(today))
        .order_by(col(Membership.joined_on).desc())
        .limit(1)
        .lateral()
    )
    membership = aliased(Membership, present)
    statement = (
        select(School, membership, TrustRegister, false().label("is_removed"))
        .select_from(School)
        .outerjoin(membership, true())
        .outerjoin(TrustRegister, col(TrustRegister.id) == membership.register_id)
    )
    return statement, membership


@lru_cache(maxsize=128)
def in_trust(trust_id: UUID, today: date, *, withdrawn: bool) -> tuple[AnySelect, Any]:
    """The schools that belong to one trust, or did: with the present or else the latest membership of each.

    With `withdrawn` also those whose membership was an error.
    """
    latest = (
        select(Membership)
        .where(col(Membership.register_id) == trust_id, true() if withdrawn else CURRENT)
        .ext(distinct_on(col(Membership.urn)))
        .order_by(col(Membership.urn), CURRENT.desc(), belongs_on(today).desc(), col(Membership.joined_on).desc())
        .subquery()
    )
    membership = aliased(Membership, latest)
    statement = (
        select(School, membership, TrustRegister, (~belongs_on(today, membership)).label("is_removed"))
        .select_from(School)
        .join(membership, col(membership.urn) == School.urn)
        .join(TrustRegister, col(TrustRegister.id) == membership.register_id)
    )
    return statement, membership


def academies(params: schemas.AcademyListParams, trust_id: UUID | None, today: date) -> AnySelect:
    """The schools of a trust, or of all England for None, that fit all filters."""
    statement, membership = (
        in_any_trust(today)
        if trust_id is None
        else in_trust(trust_id, today, withdrawn=params.updated_since is not None)
    )
    wanted = _wanted(params)
    if params.updated_since is None:
        belongs = () if trust_id is None else (belongs_on(today, membership),)
        return statement.where(*belongs, *wanted)
    # A school that no longer matches a filter was in the list, perhaps: it is returned as removed, like one that left.
    matches = func.coalesce(and_(true(), *wanted), false())
    is_gone = or_(~belongs_on(today, membership) if trust_id is not None else false(), ~matches)
    return statement.with_only_columns(School, membership, TrustRegister, is_gone.label("is_removed")).where(
        _news_since(params.updated_since, trust_id, today)
    )


def _wanted(params: schemas.AcademyListParams) -> list[ColumnElement[bool]]:
    """What the filters of a list ask of a school."""
    conditions: list[ColumnElement[bool]] = [
        col(column).in_(values)
        for column, values in (
            (School.phase, params.phase),
            (School.status, params.status),
            (School.la_code, params.la),
        )
        if values
    ]
    return conditions if params.q is None else [*conditions, _known_as(params.q)]


def _known_as(q: str) -> ColumnElement[bool]:
    """Is it found by an index each: by words of its name and postcode, or by a number?"""
    number = plain_laestab(q) or q
    known = [
        func.academy.search_terms(School.name, School.postcode).bool_op("@@")(func.academy.search_query(q)),
        col(School.ukprn) == number,
        col(School.laestab) == number,
    ]
    return or_(*known, col(School.urn) == int(q)) if _URN.fullmatch(q) else or_(*known)


def _news_since(since: datetime, trust_id: UUID | None, today: date) -> ColumnElement[bool]:
    """Has the register something new, or has a day of joining or leaving come that was known long before?"""
    of_trust = true() if trust_id is None else col(Membership.register_id) == trust_id
    by_day = exists().where(col(Membership.urn) == School.urn, of_trust, CURRENT, has_come(since, today))
    return or_(col(School.updated_at) >= since, by_day)


def has_come(since: datetime, today: date) -> ColumnElement[bool]:
    """Has the first or the last day of a membership come since this instant?"""
    after = day_in_london(since)
    return or_(*(and_(day > after, day <= today) for day in (col(Membership.joined_on), col(Membership.left_on))))


async def school(
    session: Session, urn: int, today: date
) -> Row[School, Membership | None, TrustRegister | None, bool] | None:
    """One school of the register as `schools` has it."""
    return (await session.execute(schools(today).where(col(School.urn) == urn))).one_or_none()


async def schools_known_as(
    session: Session, *, urns: Sequence[int], ukprns: Sequence[str], laestabs: Sequence[str], today: date
) -> Sequence[Row[School, Membership | None, TrustRegister | None, bool]]:
    """Every school that has one of these identifiers, by URN."""
    named = or_(col(School.urn).in_(urns), col(School.ukprn).in_(ukprns), col(School.laestab).in_(laestabs))
    return (await session.execute(schools(today).where(named).order_by(col(School.urn)))).all()


_URN_SOUGHT: Any = bindparam("urn")

_MEMBERSHIPS = (
    select(Membership, TrustRegister)
    .join(TrustRegister, col(TrustRegister.id) == Membership.register_id)
    .where(col(Membership.urn) == _URN_SOUGHT, CURRENT)
    .order_by(col(Membership.joined_on).desc(), col(TrustRegister.group_uid))
)

_OTHER = case((col(SchoolLink.urn) == _URN_SOUGHT, col(SchoolLink.linked_urn)), else_=col(SchoolLink.urn))
_LINKS = (
    select(SchoolLink, col(School.name))
    .outerjoin(School, col(School.urn) == _OTHER)
    .where(or_(col(SchoolLink.urn) == _URN_SOUGHT, col(SchoolLink.linked_urn) == _URN_SOUGHT))
    .order_by(col(SchoolLink.established_on).desc().nulls_last(), _OTHER, col(SchoolLink.link_type))
)


async def memberships_of(session: Session, urn: int) -> Sequence[Row[Membership, TrustRegister]]:
    """Every trust that the school has belonged to, newest first."""
    return (await session.execute(_MEMBERSHIPS, {"urn": urn})).all()


async def links_of(session: Session, urn: int) -> Sequence[Row[SchoolLink, str | None]]:
    """Links in both directions with the name of the other school, newest first."""
    return (await session.execute(_LINKS, {"urn": urn})).all()


def trust_academies(trust_id: UUID, which: schemas.Membership, today: date) -> AnySelect:
    """Schools of a trust, each once a membership, and whether it counts today."""
    is_member = belongs_on(today)
    statement = (
        select(School, Membership, is_member.label("is_member"))
        .join(Membership, col(Membership.urn) == School.urn)
        .where(col(Membership.register_id) == trust_id, CURRENT)
    )
    match which:
        case schemas.Membership.CURRENT:
            return statement.where(is_member)
        case schemas.Membership.PAST:
            return statement.where(~is_member)
        case schemas.Membership.ALL:
            return statement


async def member_urns(session: Session, trust_id: UUID, *, as_of: datetime, day: date) -> list[int]:
    """URNs of the academies that belonged to the trust on `day`, as was known at `as_of`."""
    superseded, left = col(Membership.superseded_at), col(Membership.left_on)
    known = and_(col(Membership.recorded_at) <= as_of, or_(superseded.is_(None), superseded > as_of))
    belonged = and_(col(Membership.joined_on) <= day, or_(left.is_(None), left > day))
    urns = select(col(Membership.urn)).where(col(Membership.register_id) == trust_id, known, belonged, ~is_proposed())
    return list((await session.execute(urns.distinct().order_by(col(Membership.urn)))).scalars())


async def moved(session: Session, trust_id: UUID, since: datetime, today: date) -> tuple[list[int], list[int]]:
    """URNs of academies of a trust whose membership has changed: those that belong to it today, and the others."""
    # Became so, perhaps: nothing says what the school was before.
    proposed_since = and_(
        is_proposed(), exists().where(col(School.urn) == col(Membership.urn), col(School.updated_at) >= since)
    )
    has_moved = or_(
        col(Membership.recorded_at) >= since,
        col(Membership.superseded_at) >= since,
        belongs_on(day_in_london(since)) != belongs_on(today),
        proposed_since,
    )
    statement = (
        select(col(Membership.urn), func.bool_or(belongs_on(today)).label("belongs"))
        .where(col(Membership.register_id) == trust_id)
        .group_by(col(Membership.urn))
        .having(func.bool_or(has_moved))
    )
    rows = (await session.execute(statement)).all()
    return [row.urn for row in rows if row.belongs], [row.urn for row in rows if not row.belongs]


def inspections(urn: int) -> AnySelect:
    """Inspections of a school, without those that were corrected since."""
    return select(Inspection).where(col(Inspection.urn) == urn, col(Inspection.superseded_at).is_(None))


_LATEST = (
    select(Inspection)
    .where(col(Inspection.urn) == _URN_SOUGHT, col(Inspection.superseded_at).is_(None))
    .ext(distinct_on(col(Inspection.kind)))
    .order_by(col(Inspection.kind), col(Inspection.inspected_on).desc())
)


async def latest_inspections(session: Session, urn: int) -> Sequence[Inspection]:
    """The latest inspection of a school under each framework."""
    return (await session.execute(_LATEST, {"urn": urn})).scalars().all()


async def is_member(session: Session, trust_id: UUID, urn: int, today: date) -> bool:
    """Does this academy belong to the trust today?"""
    belongs = exists().where(col(Membership.register_id) == trust_id, col(Membership.urn) == urn, belongs_on(today))
    return bool((await session.execute(select(belongs))).scalar_one())
