"""All SQL about terms."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from academy.terms.schemas import TermListParams
from academy.terms.tables import Term
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.rows import visible


def listed(caller: Caller, params: TermListParams) -> Select[Term]:
    """The terms that the caller may see, as the parameters narrow them."""
    statement = visible(Term, caller)
    if params.urn is not None:
        statement = statement.where(or_(col(Term.urn) == params.urn, _stands_for(params.urn, params)))
    if params.academic_year is not None:
        statement = statement.where(col(Term.academic_year) == params.academic_year)
    if params.state:
        statement = statement.where(col(Term.state).in_(params.state))
    if params.on is not None:
        day = params.on
        statement = statement.where(col(Term.state) == "active", col(Term.starts_on) <= day, col(Term.ends_on) >= day)
    return statement


def _stands_for(urn: int, params: TermListParams) -> ColumnElement[bool]:
    """Is it a term of the trust that the academy has no own dates for, nor an own term on that day?"""
    own = aliased(Term)
    replaces = and_(col(own.academic_year) == Term.academic_year, col(own.term) == Term.term)
    if params.on is not None:
        replaces = or_(replaces, and_(col(own.starts_on) <= params.on, col(own.ends_on) >= params.on))
    replaced = select(col(own.id)).where(
        col(own.trust_id) == Term.trust_id, col(own.urn) == urn, col(own.state) == "active", replaces
    )
    return and_(col(Term.urn).is_(None), ~replaced.exists())


async def beside(session: Session, term: Term) -> Sequence[Term]:
    """The other active terms of the same academy, or of the trust, in the same academic year."""
    statement = select(Term).where(
        col(Term.trust_id) == term.trust_id,
        col(Term.urn).is_not_distinct_from(term.urn),
        col(Term.academic_year) == term.academic_year,
        col(Term.state) == "active",
        col(Term.id) != term.id,
    )
    return (await session.execute(statement)).scalars().all()
