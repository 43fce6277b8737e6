"""What happened, kept in the transaction that made it happen (a transactional outbox), as CloudEvents 1.0.

A service lists its `EventType`s once; a use case calls `record_event` beside the change that it tells about.
How readers follow is in `kit.events.feed`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text

from kit import clock
from kit.database.sessions import Session, after_commit, context_of_session, database_of, is_quiet
from kit.ids import uuid7

DataModel = type[BaseModel]


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event: its CloudEvents type, and what a reader must be allowed to see (beside `events:read`).

    Of `whole_tenant` events nothing is shown under a grant for some academies, though they have no URN to hide them.
    """

    type: str
    title: str
    scope: str
    data: DataModel
    whole_tenant: bool = False


class EventNotRegistered(Exception):
    """The service's feed shows no events of this type; its `EventType` belongs in the `events.py` of a slice."""


class TransactionIsQuiet(Exception):
    """Readers don't wait for this transaction: its events need `kit.events.quiet.record_late` first."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """Something that happens in the present transaction.

    `urn` is the academy it concerns, by which a grant for some academies only shows or hides it; None when it
    concerns the whole trust.
    """

    event_type: EventType
    subject: str
    urn: int | None
    data: BaseModel


def channel(schema: str) -> str:
    """Where readers of a service's feed are woken; the payload is the trust's id."""
    return f"{schema}_event"


_INSERT = text(
    """
    insert into event (trust_id, id, type, subject, urn, occurred_at, data)
    select :trust_id, e.id, e.type, e.subject, e.urn, :occurred_at, e.data::jsonb
    from unnest(cast(:ids as uuid[]), cast(:types as text[]), cast(:subjects as text[]), cast(:urns as int[]),
                cast(:data as text[])) with ordinality as e (id, type, subject, urn, data, place)
    order by e.place
    """
)


async def record_event(
    session: Session,
    event_type: EventType,
    *,
    subject: str,
    urn: int | None,
    data: BaseModel,
    tenant_id: UUID | None = None,
) -> None:
    """Announce it to the readers of the feed, once the session's transaction is committed and not if it isn't.

    `tenant_id` is whose event it is; the session's own trust unless it is given.
    """
    await record_events(session, [NewEvent(event_type, subject, urn, data)], tenant_id=tenant_id)


async def record_events(session: Session, events: Sequence[NewEvent], *, tenant_id: UUID | None = None) -> None:
    """Many events of one trust in one statement; they are read in this order."""
    if not events:
        return
    if is_quiet(session):
        raise TransactionIsQuiet
    database = database_of(session)
    for event in events:
        if database.registered is not None and not database.registered.has_event(event.event_type):
            raise EventNotRegistered(event.event_type.type)
        if not isinstance(event.data, event.event_type.data):
            raise TypeError(f"{event.event_type.type} carries {event.event_type.data.__name__}")
    occurred_at: datetime = clock.now()
    trust_id = tenant_id or context_of_session(session).tenant_id
    parameters: Mapping[str, Any] = {
        "trust_id": trust_id,
        "occurred_at": occurred_at,
        "ids": [uuid7() for _ in events],
        "types": [event.event_type.type for event in events],
        "subjects": [event.subject for event in events],
        "urns": [event.urn for event in events],
        "data": [event.data.model_dump_json() for event in events],
    }
    await session.execute(_INSERT, parameters)
    after_commit(session, lambda: database.wakeups.poke(channel(database.schema), str(trust_id)))
