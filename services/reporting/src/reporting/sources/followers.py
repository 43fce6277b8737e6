"""How the read models of trusts and academies are made from events."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from kit.calls.declared import Call
from kit.database.sessions import Session
from kit.events.holders import IDENTITY_EVENTS
from kit.events.progress import Side
from kit.events.read_models import ReadModel
from kit.events.sources import FollowedEvent, FollowedPage
from reporting.sources.tables import KNOWN_ACADEMY, KNOWN_TRUST

ACADEMY_EVENTS = Call("academy", "event_list", FollowedPage, "/academy/v1/events")

_JOINED: Final = "org.trellis.academy.academy.joined.v1"
_LEFT: Final = "org.trellis.academy.academy.left.v1"
_CHANGED: Final = "org.trellis.academy.academy.changed.v1"
_DAYS_CHANGED: Final = "org.trellis.academy.membership.changed.v1"


class _TenantSeen(BaseModel):
    tenant_id: UUID
    group_uid: str
    name: str
    is_active: bool


class _TenantChange(BaseModel):
    after: _TenantSeen


class _Moved(BaseModel):
    urn: int
    joined_on: date
    left_on: date | None
    # Events of before these were added don't have them.
    name: str | None = None
    phase: str | None = None
    local_authority: str | None = None


class _FactsSeen(BaseModel):
    name: str
    phase: str | None


class _FactsChange(BaseModel):
    urn: int
    after: _FactsSeen
    joined_on: date
    local_authority: str | None


class _Days(BaseModel):
    joined_on: date
    left_on: date | None


class _DaysChange(BaseModel):
    urn: int
    after: _Days | None


def _trust_of(event: FollowedEvent) -> UUID:
    """A tenant's row is the trust's own, though the event is the platform's."""
    return event.read(_TenantChange).after.tenant_id


async def _apply_tenants(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
    for event in events:
        seen = event.read(_TenantChange).after
        row = {"trust_id": seen.tenant_id, **seen.model_dump(exclude={"tenant_id"})}
        await KNOWN_TRUST.put(session, side, [row])


async def _apply_moves(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
    for event in events:
        if event.type == _DAYS_CHANGED:
            await _apply_days(session, side, event)
            continue
        if event.type == _CHANGED:
            await _apply_facts(session, side, event)
            continue
        moved = event.read(_Moved)
        row = {"trust_id": event.trust, "is_member": event.type == _JOINED, **moved.model_dump(exclude_none=True)}
        await KNOWN_ACADEMY.put(session, side, [{"left_on": None, **row}])


async def _apply_facts(session: Session, side: Side, event: FollowedEvent) -> None:
    """The register says another name or phase of a member, or the feed begins with it."""
    change = event.read(_FactsChange)
    row = {"trust_id": event.trust, "urn": change.urn, "local_authority": change.local_authority}
    new = {"is_member": True, "joined_on": change.joined_on}
    await KNOWN_ACADEMY.put(session, side, [{**row, **change.after.model_dump()}], new=new)


async def _apply_days(session: Session, side: Side, event: FollowedEvent) -> None:
    """The register says other days: of a member, of one that is to come, or that it never belonged after all."""
    change = event.read(_DaysChange)
    if change.after is None:
        await KNOWN_ACADEMY.remove(session, side, trust_id=event.trust, urn=change.urn)
        return
    key = {"trust_id": event.trust, "urn": change.urn}
    await KNOWN_ACADEMY.put(session, side, [{**key, **change.after.model_dump()}], new={"is_member": False})


TRUSTS = ReadModel(
    call=IDENTITY_EVENTS,
    consumer="trusts",
    types=("org.trellis.identity.tenant.created.v1", "org.trellis.identity.tenant.changed.v1"),
    tables=(KNOWN_TRUST,),
    apply=_apply_tenants,
    trust_of=_trust_of,
)

ACADEMIES = ReadModel(
    call=ACADEMY_EVENTS,
    consumer="academies",
    types=(_JOINED, _LEFT, _CHANGED, _DAYS_CHANGED),
    tables=(KNOWN_ACADEMY,),
    apply=_apply_moves,
)
