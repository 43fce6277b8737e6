"""A trust keeps somebody who can administer it, and the platform somebody who can operate it.

Not only today: no change may bring the day nearer on which the last of them ends. Somebody whose grant ends tonight is
no successor of one whose grant has no end (ADR 0103).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, text
from sqlmodel import col

from gateway.identity.days import today
from gateway.identity.tables import Client, Person, RoleGrant
from kit.database.sessions import Session
from kit.ids import PLATFORM
from kit.problems import Conflict


class LastAdministrator(Conflict):
    """The trust would have no administrator, or only one whose grant ends sooner."""


def administrator_role(trust_id: UUID) -> str:
    """The role whose last holder stays."""
    return "platform-operator" if trust_id == PLATFORM else "trust-admin"


async def administered_until(session: Session, trust_id: UUID, on: date) -> date | None:
    """The last day of the grant that lasts longest of those that make somebody who can sign in an administrator today.

    `date.max` when one has no end; None when nobody is an administrator on this day.
    """
    person = exists().where(
        col(Person.trust_id) == RoleGrant.trust_id,
        col(Person.id) == RoleGrant.person_id,
        col(Person.is_active),
        # Who was invited and never came can't help.
        col(Person.subject).is_not(None),
    )
    client = exists().where(
        col(Client.trust_id) == RoleGrant.trust_id, col(Client.id) == RoleGrant.client_id, col(Client.is_active)
    )
    statement = select(func.max(func.coalesce(col(RoleGrant.ends_on), date.max))).where(
        col(RoleGrant.trust_id) == trust_id,
        col(RoleGrant.role) == administrator_role(trust_id),
        col(RoleGrant.ended_at).is_(None),
        col(RoleGrant.starts_on) <= on,
        or_(col(RoleGrant.ends_on).is_(None), col(RoleGrant.ends_on) >= on),
        or_(
            and_(col(RoleGrant.person_id).is_not(None), person),
            and_(col(RoleGrant.client_id).is_not(None), client),
        ),
    )
    return (await session.execute(statement)).scalar_one()


@asynccontextmanager
async def keeping_an_administrator(session: Session, trust_id: UUID) -> AsyncIterator[None]:
    """Around a change that could take an administrator away.

    Raises LastAdministrator when it took the last, or the one whose grant lasted longest.
    """
    # Two administrators who take each other's right away at the same moment must not both succeed.
    await session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"identity administrators {trust_id}"},
    )
    before = await administered_until(session, trust_id, today())
    yield
    await session.flush()
    after = await administered_until(session, trust_id, today())
    if before is not None and (after is None or after < before):
        end = "without an end" if before == date.max else f"until {before} or later"
        raise LastAdministrator(f"Give somebody else the role {administrator_role(trust_id)} {end} first.")
