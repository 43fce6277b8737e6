"""Academy with a feed of notes, and reporting that follows it: for the tests of followers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Column, Integer, Text, Uuid, text

from gateway.main import create_app as create_identity
from kit.calls.declared import Call
from kit.database.sessions import Context, Database, Session
from kit.events.followers import Followed, Follower, FollowerTimings, SideEffects
from kit.events.locks import Locks
from kit.events.progress import Place, Progress, Side
from kit.events.read_models import ReadModel, ReadTable
from kit.events.recording import EventType, record_event
from kit.events.sources import FollowedEvent, FollowedPage, RemoteSource
from kit.ids import PLATFORM
from kit.schema.following import read_model
from kit.web.app import Service, create_service
from tests.support.clients import settings_of
from tests.support.databases import Clone
from tests.support.following import QUICK, calls_to, identity_settings, reporting_settings
from tests.support.tokens import OTHER_TRUST, PROSPERE

EVENTS = Call("academy", "event_list", FollowedPage, "/academy/v1/events")
PLATFORM_CONTEXT = Context(PLATFORM, None, "tests")
TRUSTS = (PROSPERE, OTHER_TRUST)


class NoteData(BaseModel):
    """What the tests' events say."""

    number: int = Field(description="Which one.")


NOTED = EventType("org.trellis.academy.note.noted.v1", "Something was noted", "ratings:read", NoteData)

NOTES = ReadTable(
    "seen_note", Column("subject", Text, primary_key=True), Column("number", Integer), Column("event", Uuid)
)
COLUMNS = "subject text not null, number integer not null, event uuid not null, primary key (trust_id, subject)"


async def apply_notes(session: Session, side: Side, events: Sequence[FollowedEvent]) -> None:
    """Keeps the last number of each subject."""
    for event in events:
        row = {"trust_id": event.trust, "subject": event.subject, "number": event.read(NoteData).number}
        await NOTES.put(session, side, [{**row, "event": event.id}])


MODEL = ReadModel(call=EVENTS, consumer="notes", types=(NOTED.type,), tables=(NOTES,), apply=apply_notes)


class Bell:
    """A side effect that is counted, and stored in the transaction that applies it."""

    def __init__(self) -> None:
        self.rung: list[tuple[UUID, int]] = []

    async def ring(self, session: Session, event: FollowedEvent) -> None:
        """Once for each event."""
        number = event.read(NoteData).number
        await session.execute(
            text(
                "insert into idempotency_key (trust_id, client, route, key, fingerprint, expires_at)"
                " values (:trust, 'bell', 'ring', :key, '', now())"
            ),
            {"trust": event.trust, "key": str(number)},
        )
        self.rung.append((event.trust, number))

    def effects(self, **more: Any) -> SideEffects:
        """As a follower takes it."""
        return SideEffects(call=EVENTS, consumer="bell", types=(NOTED.type,), apply=self.ring, **more)


class World:
    """Academy with a feed of notes, and reporting that follows it."""

    def __init__(self, clone: Clone, service: Service, identity: Any) -> None:
        self.clone = clone
        self.academy: Database = clone.of("academy")
        self.reporting: Database = clone.of("reporting")
        self.settings = reporting_settings(clone)
        self.apps = {"academy": service, "identity": identity}
        self.calls = calls_to(self.apps, self.settings)
        self.locks = Locks(self.reporting)

    def follower(self, followed: Followed = MODEL, *, timings: FollowerTimings = QUICK) -> Follower:
        """One that reads over HTTP."""
        source = RemoteSource(self.calls, followed.call, followed.types)
        return Follower(followed, source, self.reporting, self.locks, timings=timings)

    async def note(self, number: int, *, subject: str | None = None, trust: UUID = PROSPERE) -> None:
        """One event, committed."""
        async with self.academy.session(Context(trust, None, "person:ceo")) as session:
            data = NoteData(number=number)
            await record_event(session, NOTED, subject=subject or f"notes/{number}", urn=None, data=data)

    async def seen(self, trust: UUID = PROSPERE) -> dict[str, int]:
        """What readers see."""
        async with self.reporting.connection(Context(trust, None, "reader")) as connection:
            return {row["subject"]: row["number"] for row in await connection.fetch("select * from seen_note")}

    async def rung(self) -> int:
        """How many effects are stored, of all trusts."""
        async with self.clone.admin() as admin:
            return int(await admin.fetchval("select count(*) from reporting.idempotency_key where client = 'bell'"))

    async def progress(self, place: Place = MODEL.place) -> Progress:
        """A follower's row."""
        async with self.reporting.session(PLATFORM_CONTEXT) as session:
            return await place.read(session)

    async def rows(self) -> dict[str, int]:
        """How many rows each side has."""
        async with self.clone.admin() as admin:
            return {
                side: int(await admin.fetchval(f"select count(*) from reporting.seen_note_{side}")) for side in "ab"
            }


@asynccontextmanager
async def note_world(committed_database: Clone) -> AsyncIterator[World]:
    """Two services on one database; the tokens are identity's own."""
    async with committed_database.admin() as admin:
        for statement in read_model("reporting", "academy", "notes", [("seen_note", COLUMNS)]):
            await admin.execute(statement)
    identity = create_identity(identity_settings(committed_database))
    async with identity.router.lifespan_context(identity):
        service = create_service(
            settings_of("academy", committed_database.url("academy_app")),
            title="Notes",
            description="Only a feed.",
            routers=[],
            event_types=[NOTED],
            keys=identity.state.tools.keys,
        )
        service.state.tools.database = committed_database.of("academy")
        service.state.tools.follower_database = committed_database.of("academy", "follower")
        made = World(committed_database, service, identity)
        yield made
        await made.locks.aclose()
        await made.calls.aclose()


def reaches(count: Any, wanted: int) -> Any:
    """A condition for `until`: the count is this."""

    async def reached() -> bool:
        return bool(await count() == wanted)

    return reached


def events_of(world: World) -> Any:
    """Counts what a world's follower applied."""

    async def count() -> int:
        return (await world.progress()).events

    return count
