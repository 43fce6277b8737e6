"""All SQL about grants."""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlmodel import col

from gateway.identity.grants.rules import GrantState
from gateway.identity.grants.schemas import GrantParams
from gateway.identity.tables import Client, Person, RoleGrant
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.paging import AnySelect
from kit.resources.rows import visible


def grants(caller: Caller, wanted: GrantParams, on: date) -> AnySelect:
    """The grants in the caller's trust, or for the platform, that fit all filters."""
    statement = visible(RoleGrant, caller)
    for column, value in (
        (RoleGrant.role, wanted.role),
        (RoleGrant.person_id, wanted.person_id),
        (RoleGrant.client_id, wanted.client_id),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    return statement if wanted.state is None else statement.where(_in_state(GrantState(wanted.state), on))


def _in_state(state: GrantState, on: date) -> ColumnElement[bool]:
    ended, started = col(RoleGrant.ended_at).is_not(None), col(RoleGrant.starts_on) <= on
    over = col(RoleGrant.ends_on) < on
    not_over = or_(col(RoleGrant.ends_on).is_(None), col(RoleGrant.ends_on) >= on)
    match state:
        case GrantState.ENDED:
            return ended
        case GrantState.SCHEDULED:
            return and_(~ended, ~started)
        case GrantState.CURRENT:
            return and_(~ended, started, not_over)
        case GrantState.EXPIRED:
            return and_(~ended, started, over)


def _held_by(person_id: UUID | None, client_id: UUID | None) -> ColumnElement[bool]:
    if person_id is not None:
        return col(RoleGrant.person_id) == person_id
    return col(RoleGrant.client_id) == client_id


async def current_grants(
    session: Session, trust_id: UUID, *, on: date, person_id: UUID | None = None, client_id: UUID | None = None
) -> list[RoleGrant]:
    """The grants of one holder that count on a day."""
    statement = select(RoleGrant).where(
        col(RoleGrant.trust_id) == trust_id, _held_by(person_id, client_id), _in_state(GrantState.CURRENT, on)
    )
    return list((await session.execute(statement)).scalars())


async def open_grants(
    session: Session, trust_id: UUID, *, person_id: UUID | None = None, client_id: UUID | None = None
) -> list[RoleGrant]:
    """The grants of one holder that nobody ended yet."""
    statement = select(RoleGrant).where(
        col(RoleGrant.trust_id) == trust_id, _held_by(person_id, client_id), col(RoleGrant.ended_at).is_(None)
    )
    return list((await session.execute(statement)).scalars())


async def person_exists(session: Session, trust_id: UUID, person_id: UUID) -> bool:
    """Whether the trust knows this person. Keeps the person from being erased meanwhile."""
    statement = (
        select(col(Person.id))
        .where(col(Person.trust_id) == trust_id, col(Person.id) == person_id, col(Person.deleted_at).is_(None))
        .with_for_update(read=True)
    )
    return (await session.execute(statement)).first() is not None


_WHO_KNOWS = text(
    """
    with recursive known (subject) as (
        select cast(:subject as text)
        union
        select made.by from known k
        join client c on c.trust_id = :trust_id and k.subject = 'client:' || c.id
        cross join lateral (
            select c.created_by union all
            select s.created_by from client_secret s where s.trust_id = c.trust_id and s.client_id = c.id
        ) made (by) where made.by is not null
    ) select subject from known
    """
)


async def who_knows(session: Session, trust_id: UUID, subject: str) -> set[str]:
    """A subject and, for a client, all who registered it or got a secret of it, and likewise of clients among these."""
    return set((await session.execute(_WHO_KNOWS, {"trust_id": trust_id, "subject": subject})).scalars())


async def client_kind(session: Session, trust_id: UUID, client_id: UUID) -> str | None:
    """The kind of a client of the trust; None when there is none. Keeps it from being deleted meanwhile."""
    statement = (
        select(col(Client.kind))
        .where(col(Client.trust_id) == trust_id, col(Client.id) == client_id, col(Client.deleted_at).is_(None))
        .with_for_update(read=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()
