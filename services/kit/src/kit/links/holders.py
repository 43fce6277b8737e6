"""Links end with their maker's right: looked at whenever one is opened, and cut when identity announces an end.

A service's `followers.py` takes `on_holder_ended` from here.
"""

from datetime import date

from sqlalchemy import and_, or_, select

from kit.database.sessions import Session
from kit.events.holders import GRANT, HOLDER, HolderEnded
from kit.links import queries
from kit.links.rules import Held, has_right
from kit.links.tables import SharedLink
from kit.people.declared import ERASED

__all__ = ["is_held", "on_holder_ended"]


async def is_held(session: Session, link: SharedLink, on: date) -> bool:
    """Has the link's maker still the right that it was made with: each of its roles, for all that it shows?

    True for makers whom this service doesn't know yet (their grant is seconds old) and never will (people of a demo).
    False for makers who were erased.
    """
    if link.created_by.startswith(ERASED):
        return False
    grant, holder = GRANT.view.c, HOLDER.view.c
    is_active = (
        select(holder.holder)
        .where(holder.trust_id == link.trust_id, holder.holder == link.created_by, holder.is_active)
        .exists()
    )
    counts = and_(
        grant.is_ended.is_(False), grant.starts_on <= on, or_(grant.ends_on.is_(None), grant.ends_on >= on), is_active
    )
    statement = select(grant.role, grant.academies, counts).where(
        grant.trust_id == link.trust_id, grant.holder == link.created_by
    )
    known = (await session.execute(statement)).all()
    held = [Held(role, None if academies is None else frozenset(academies)) for role, academies, does in known if does]
    shown = None if link.sees_academies is None else frozenset(link.sees_academies)
    return not known or has_right(link.roles, shown, held)


async def on_holder_ended(session: Session, ended: HolderEnded) -> None:
    """End the links that were made in the role of the grant that ended; all of a maker who is gone."""
    role: str | None = None
    if ended.grant_id is not None:
        grant = GRANT.view.c
        found = select(grant.role).where(grant.trust_id == ended.trust_id, grant.id == ended.grant_id)
        role = (await session.execute(found)).scalar_one_or_none()
    await queries.end_all(session, ended.trust_id, ended.holder, role, ended.at)
