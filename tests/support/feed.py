"""A service that tells two types of events, for the tests of the feed."""

from collections.abc import Sequence

import asyncpg
from pydantic import BaseModel, Field

from kit.database.sessions import Context, Database
from kit.database.urls import asyncpg_dsn
from kit.events.epochs import raising
from kit.events.recording import EventType, record_event
from kit.web.app import Service, create_service
from tests.support.clients import settings_of
from tests.support.tokens import PROSPERE, trusted_keys

PATH = "/academy/v1/events"


class NoteData(BaseModel):
    """What the tests' events say."""

    number: int = Field(description="Which one.")


NOTED = EventType("org.trellis.academy.note.noted.v1", "Something was noted", "ratings:read", NoteData)
HIDDEN = EventType("org.trellis.academy.note.hidden.v1", "Something was hidden", "identity:read", NoteData)
WHOLE = EventType(
    "org.trellis.academy.note.whole.v1", "The whole trust was noted", "ratings:read", NoteData, whole_tenant=True
)

ALL = Context(PROSPERE, None, "person:ceo")


async def raise_epoch(admin_url: str, schemas: Sequence[str]) -> None:
    """Raise the epochs of these feeds, as a restore does."""
    connection = await asyncpg.connect(asyncpg_dsn(admin_url), timeout=10)
    try:
        async with connection.transaction():
            for schema in schemas:
                await connection.execute(raising(schema))
    finally:
        await connection.close()


def feed_service(database: Database, follower: Database | None = None) -> Service:
    """Academy, as far as its feed goes."""
    app = create_service(
        settings_of("academy", database.url),
        title="Notes",
        description="Only a feed.",
        routers=[],
        event_types=[NOTED, HIDDEN, WHOLE],
        keys=trusted_keys(),
    )
    app.state.tools.database = database
    app.state.tools.follower_database = follower
    return app


async def note(
    database: Database,
    number: int,
    *,
    urn: int | None = None,
    context: Context = ALL,
    event_type: EventType = NOTED,
) -> None:
    """One event, committed."""
    async with database.session(context) as session:
        await record_event(session, event_type, subject=f"notes/{number}", urn=urn, data=NoteData(number=number))
