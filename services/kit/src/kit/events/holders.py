"""Who holds a right still: grants, clients and people of identity, as every service follows them.

What hangs on somebody's right (a link, a subscription, a feed token) ends with it in two ways: a hook hears of grants
that are ended and of clients and people that are deleted, within a minute; and `is_current` looks at dates and state
whenever the right is used, since nothing announces that a last day has passed.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import ARRAY, Boolean, Column, ColumnElement, Date, Integer, Text, Uuid, exists, or_, select

from kit.calls.declared import Call
from kit.database.sessions import Session
from kit.events.followers import SideEffects
from kit.events.held import HeldRole
from kit.events.progress import Side
from kit.events.read_models import ReadModel, ReadTable, Row
from kit.events.sources import FollowedEvent, FollowedPage

IDENTITY_EVENTS = Call("identity", "event_list", FollowedPage, "/identity/v1/events")

MODEL: Final = "grants"
ENDS: Final = "ends-of-holders"

GRANT = ReadTable(
    "identity_grant",
    Column("id", Uuid, primary_key=True),
    Column("holder", Text),
    Column("role", Text),
    Column("extent", Text),
    Column("academies", ARRAY(Integer)),
    Column("starts_on", Date),
    Column("ends_on", Date),
    Column("is_ended", Boolean),
)
HOLDER = ReadTable("identity_holder", Column("holder", Text, primary_key=True), Column("is_active", Boolean))


class _GrantSeen(BaseModel):
    grant_id: UUID
    role: str
    person_id: UUID | None
    client_id: UUID | None
    extent: str
    academies: list[int] | None
    starts_on: date
    ends_on: date | None
    is_ended: bool

    @property
    def holder(self) -> str:
        """As tokens name the holder (`sub`)."""
        return f"client:{self.client_id}" if self.person_id is None else f"person:{self.person_id}"


class _GrantChange(BaseModel):
    after: _GrantSeen


class _ClientSeen(BaseModel):
    client_id: UUID
    is_active: bool

    @property
    def holder(self) -> str:
        return f"client:{self.client_id}"


class _ClientChange(BaseModel):
    before: _ClientSeen | None
    after: _ClientSeen | None


class _PersonSeen(BaseModel):
    person_id: UUID
    is_active: bool

    @property
    def holder(self) -> str:
        return f"person:{self.person_id}"


class _PersonChange(BaseModel):
    before: _PersonSeen | None
    after: _PersonSeen | None


def _type(name: str) -> str:
    return f"org.trellis.identity.{name}.v1"


_GRANTS: Final = (_type("grant.created"), _type("grant.ended"))
_CLIENTS: Final = (_type("client.created"), _type("client.changed"), _type("client.deleted"))
_PEOPLE: Final = (
    _type("person.created"),
    _type("person.changed"),
    _type("person.bound"),
    _type("person.erased"),
)
_ENDING: Final = (_type("grant.ended"), _type("client.deleted"), _type("person.erased"))


async def _apply(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
    for event in events:
        if event.type in _GRANTS:
            await GRANT.put(session, side, [_grant_row(event)])
        else:
            holder, is_active = _holder_of(event)
            row = {"trust_id": event.trust, "holder": holder, "is_active": is_active}
            await HOLDER.put(session, side, [row])


def _grant_row(event: FollowedEvent) -> Row:
    seen = event.read(_GrantChange).after
    return {
        "trust_id": event.trust,
        "id": seen.grant_id,
        "holder": seen.holder,
        **seen.model_dump(include={"role", "extent", "academies", "starts_on", "ends_on", "is_ended"}),
    }


def _holder_of(event: FollowedEvent) -> tuple[str, bool]:
    """Whose event it is, and whether they get tokens after it."""
    change: _ClientChange | _PersonChange
    change = event.read(_ClientChange) if event.type in _CLIENTS else event.read(_PersonChange)
    seen = change.after or change.before
    if seen is None:
        raise ValueError(f"{event.type} {event.id} says neither before nor after")
    return seen.holder, change.after is not None and change.after.is_active


GRANTS = ReadModel(
    call=IDENTITY_EVENTS,
    consumer=MODEL,
    types=(*_GRANTS, *_CLIENTS, *_PEOPLE),
    tables=(GRANT, HOLDER),
    apply=_apply,
)
"""The read model that every service keeps."""


async def is_current(session: Session, holder: str, on: date, *, grant_id: UUID | None = None) -> bool:
    """Whether somebody has a right on this day, in the trust of the session: their grant counts and they get tokens.

    `holder` is the subject of a token (`person:...`, `client:...`). With `grant_id` only that grant counts.
    """
    grant = GRANT.view.c
    statement = select(grant.id).where(grant.holder == holder, *_counts_on(on))
    if grant_id is not None:
        statement = statement.where(grant.id == grant_id)
    return (await session.execute(statement.limit(1))).scalar_one_or_none() is not None


async def held_roles(session: Session, roles: Collection[str], on: date) -> list[HeldRole]:
    """Who holds these roles on this day, in the trust of the session, in the order of the holders."""
    grant = GRANT.view.c
    statement = select(grant.holder, grant.role, grant.extent, grant.academies).where(
        grant.role.in_(sorted(roles)), *_counts_on(on)
    )
    rows = await session.execute(statement.order_by(grant.holder, grant.role, grant.id))
    return [HeldRole(row.holder, row.role, row.extent, frozenset(row.academies or ())) for row in rows]


def _counts_on(on: date) -> tuple[ColumnElement[bool], ...]:
    """Does a grant count on this day, and does its holder get tokens?"""
    grant, known = GRANT.view.c, HOLDER.view.c
    return (
        grant.is_ended.is_(False),
        grant.starts_on <= on,
        or_(grant.ends_on.is_(None), grant.ends_on >= on),
        exists().where(known.trust_id == grant.trust_id, known.holder == grant.holder, known.is_active),
    )


@dataclass(frozen=True, slots=True)
class HolderEnded:
    """A grant was ended, or its holder was deleted or erased (`grant_id` is None then: every right is gone)."""

    trust_id: UUID
    holder: str
    grant_id: UUID | None
    at: datetime
    role: str | None = None
    """The role of the grant; None with every right."""


OnHolderEnded = Callable[[Session, HolderEnded], Awaitable[None]]
"""Takes what hangs on it, in the transaction of the session, which sees that trust's rows."""


def ends_of_holders(hooks: Sequence[OnHolderEnded]) -> SideEffects:
    """Calls every hook, in this order, once for each right that ends."""

    async def apply(session: Session, event: FollowedEvent) -> None:
        ended = _ended(event)
        for hook in hooks:
            await hook(session, ended)

    return SideEffects(call=IDENTITY_EVENTS, consumer=ENDS, types=_ENDING, apply=apply)


def _ended(event: FollowedEvent) -> HolderEnded:
    if event.type in _GRANTS:
        seen = event.read(_GrantChange).after
        return HolderEnded(event.trust, seen.holder, seen.grant_id, event.time, seen.role)
    holder, _ = _holder_of(event)
    return HolderEnded(event.trust, holder, None, event.time)
