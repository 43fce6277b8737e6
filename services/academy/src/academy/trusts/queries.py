"""All SQL about trusts. The register belongs to no trust: every caller with the scope sees all of it."""

from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    and_,
    cast,
    column,
    distinct,
    exists,
    func,
    null,
    or_,
    select,
    table,
)
from sqlmodel import col

from academy.trusts.schemas import TrustListParams
from academy.trusts.tables import Membership, TrustRegister
from kit.database.sessions import Session
from kit.resources.paging import AnySelect

# The register of schools is a slice of its own that builds on this one.
_PROPOSED = table("school", column("urn", Integer), column("status", Text), schema="academy").alias("proposed")


def is_proposed(membership: Any = Membership) -> ColumnElement[bool]:
    """Is the academy only proposed, so that it belongs to its trust from its opening on?"""
    return exists().where(_PROPOSED.c.urn == membership.urn, _PROPOSED.c.status == "proposed_to_open")


@lru_cache(maxsize=512)
def belongs_on(day: date, membership: Any = Membership) -> ColumnElement[bool]:
    """Does the academy belong to the trust on this day, as far as is known now?"""
    return and_(
        ~is_proposed(membership),
        membership.superseded_at.is_(None),
        membership.joined_on <= day,
        or_(membership.left_on.is_(None), membership.left_on > day),
    )


def trusts(today: date) -> AnySelect:
    """Every trust with the number of academies that belong to it today."""
    count = (
        select(func.count(distinct(col(Membership.urn))))
        .where(col(Membership.register_id) == TrustRegister.id, belongs_on(today))
        .scalar_subquery()
    )
    return select(TrustRegister, count.label("academy_count"))


def trusts_like(params: TrustListParams, today: date) -> AnySelect:
    """The trusts that fit all filters."""
    statement = trusts(today)
    if (q := params.q) is not None:
        whole = (TrustRegister.group_uid, TrustRegister.ukprn, TrustRegister.companies_house_number)
        words = func.academy.search_terms(TrustRegister.name, cast(null(), Text))
        named = [words.bool_op("@@")(func.academy.search_query(q)), *(col(column) == q for column in whole)]
        statement = statement.where(or_(*named, col(TrustRegister.group_id) == func.upper(q)))
    if params.kind:
        statement = statement.where(col(TrustRegister.kind).in_(params.kind))
    return statement.where(col(TrustRegister.status).in_(params.status)) if params.status else statement


async def trust_named(session: Session, name: str, *, trust_id: UUID | None) -> UUID | None:
    """The trust with this Group UID, TR reference or id."""
    uid, reference = col(TrustRegister.group_uid) == name, col(TrustRegister.group_id) == func.upper(name)
    named = or_(uid, reference) if trust_id is None else or_(uid, reference, col(TrustRegister.id) == trust_id)
    found = await session.execute(select(col(TrustRegister.id)).where(named).order_by(uid.desc()).limit(1))
    return found.scalar_one_or_none()
