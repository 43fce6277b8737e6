"""All SQL about links."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, any_, func, literal, select, text, update
from sqlmodel import col

from kit.database.sessions import Session
from kit.links.tables import SharedLink
from kit.links.tokens import Secret
from kit.resources.paging import Listing

_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:maker, 37))")
LISTING = Listing("links", SharedLink, "-created_at", "-id")


def of_trust(trust_id: UUID, maker: str | None) -> Select[Any]:
    """The links of a trust; only those of one maker unless that is None."""
    statement = select(SharedLink).where(col(SharedLink.trust_id) == trust_id)
    return statement if maker is None else statement.where(col(SharedLink.created_by) == maker)


async def link(session: Session, trust_id: UUID, maker: str | None, link_id: UUID) -> SharedLink | None:
    """One of them, held until the transaction ends."""
    statement = of_trust(trust_id, maker).where(col(SharedLink.id) == link_id).with_for_update()
    found: SharedLink | None = (await session.execute(statement)).scalar_one_or_none()
    return found


async def link_of(session: Session, secret: Secret) -> SharedLink | None:
    """The link with this token, whatever its state."""
    statement = of_trust(secret.trust_id, None).where(col(SharedLink.token_sha256) == secret.sha256)
    found: SharedLink | None = (await session.execute(statement)).scalar_one_or_none()
    return found


async def hold_maker(session: Session, trust_id: UUID, maker: str) -> None:
    """Wait until no other transaction of this service makes a link for this maker."""
    await session.execute(_HOLD, {"maker": f"{trust_id}/links/{maker}"})


async def count_active(session: Session, trust_id: UUID, maker: str, today: date) -> int:
    """How many of a maker's links show something."""
    statement = (
        select(func.count())
        .select_from(SharedLink)
        .where(
            col(SharedLink.trust_id) == trust_id,
            col(SharedLink.created_by) == maker,
            col(SharedLink.ended_at).is_(None),
            col(SharedLink.expires_on) >= today,
        )
    )
    return int((await session.execute(statement)).scalar_one())


async def end_all(session: Session, trust_id: UUID, maker: str, role: str | None, at: datetime) -> None:
    """End the links that somebody made in a role, or all of theirs when it is None."""
    statement = update(SharedLink).where(
        col(SharedLink.trust_id) == trust_id,
        col(SharedLink.created_by) == maker,
        col(SharedLink.ended_at).is_(None),
    )
    if role is not None:
        statement = statement.where(literal(role) == any_(col(SharedLink.roles)))
    await session.execute(statement.values(ended_at=at, ended_by=maker))
