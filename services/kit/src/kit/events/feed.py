"""The change feed: every event of a trust once, in one order, from any point on.

Events are read in the order (epoch, transaction id, sequence) and only below the oldest transaction that still runs:
what comes later in this order can't have been committed earlier and be missed. A cursor names a place in that order,
and the cluster and epoch that gave it out: in another cluster transaction ids mean something else.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson

from kit import cursors
from kit.database.sessions import Connection, Context, Database
from kit.database.wakeups import Waiter
from kit.events.recording import channel
from kit.problems import Gone
from kit.shutdown import Closing

LIST = "events"
NOW = "now"

# How often a reader looks by itself: seldom while hints of other processes reach it, often while they don't.
LOOK_SECONDS = 2.0
LOOK_SECONDS_DEAF = 0.5
# After a hint without a visible event an older transaction is still open; it may end at any moment.
FIRST_PAUSE_SECONDS = 0.02


class FeedRestarted(Gone):
    """The cursor is from before a restore or from another installation; read again from the start."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the order of events."""

    epoch: int
    xid: int
    seq: int


START = Position(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which cluster a cursor was given out by, and in which epoch."""

    epoch: int
    system_identifier: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a caller under row-level security (`trust_id`), or a follower of all trusts (None)."""

    database: Database
    context: Context
    trust_id: UUID | None
    types: Sequence[str]

    @property
    def tenant(self) -> UUID | str:
        """What its cursors are bound to."""
        return self.trust_id or "follower"


@dataclass(frozen=True, slots=True)
class Page:
    """Some events, each with its place, and the place to go on from."""

    events: Sequence[tuple[Position, dict[str, Any]]]
    after: Position
    origin: Origin


# One statement, hence one snapshot: the horizon, the page below it, and the last event below it (so that a reader of
# few types needn't pass over all others again each time).
_PAGE = """
with horizon as materialized (
    select epoch, system_identifier, pg_snapshot_xmin(pg_current_snapshot()) as xmin from feed_epoch
), page as (
    select e.* from horizon h cross join lateral (
        select * from event
        where {trust} (epoch, xid, seq) > ($1::int, $2::text::xid8, $3::bigint)
          and (epoch < h.epoch or xid < h.xmin) and type = any($4::text[])
        order by epoch, xid, seq limit $5
    ) e
), last as (
    select e.* from horizon h cross join lateral (
        select epoch, xid, seq from event
        where {trust} (epoch < h.epoch or xid < h.xmin)
        order by epoch desc, xid desc, seq desc limit 1
    ) e
)
select h.epoch as now_epoch, h.system_identifier, p.epoch, p.xid::text, p.seq, p.id, p.trust_id, p.type, p.subject,
       p.urn, p.occurred_at, p.data::text, l.epoch as last_epoch, l.xid::text as last_xid, l.seq as last_seq
from horizon h left join page p on true left join last l on true
order by p.epoch, p.xid, p.seq
"""
_OF_TRUST = _PAGE.format(trust="trust_id = $6::uuid and")
_OF_ALL = _PAGE.format(trust="")


async def read_page(connection: Connection, reader: Reader, after: Position, limit: int) -> Page:
    """The next events after a place, at most `limit`; none when there are none yet."""
    arguments = [after.epoch, str(after.xid), after.seq, list(reader.types), limit]
    if reader.trust_id is None:
        rows = await connection.fetch(_OF_ALL, *arguments)
    else:
        rows = await connection.fetch(_OF_TRUST, *arguments, reader.trust_id)
    first = rows[0]
    events = [
        (Position(row["epoch"], int(row["xid"]), row["seq"]), cloud_event(reader.database.schema, row))
        for row in rows
        if row["seq"] is not None
    ]
    if len(events) == limit:
        end = events[-1][0]
    else:
        end = after if not events else events[-1][0]
        if first["last_seq"] is not None:
            end = max(end, Position(first["last_epoch"], int(first["last_xid"]), first["last_seq"]))
    return Page(events, end, Origin(first["now_epoch"], first["system_identifier"]))


def cloud_event(service: str, row: Any) -> dict[str, Any]:
    """One row as a CloudEvent (1.0, JSON format); `trust` and `urn` are extension attributes."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(row["id"]),
        "source": f"/{service}/v1",
        "type": row["type"],
        "subject": row["subject"],
        "time": row["occurred_at"].isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "trust": str(row["trust_id"]),
        "urn": row["urn"],
        "data": orjson.Fragment(row["data"]),
    }
    return event


def cursor_of(reader: Reader, origin: Origin, position: Position) -> str:
    """The cursor of a place, as this cluster and epoch give it out."""
    values = [origin.system_identifier, origin.epoch, position.epoch, position.xid, position.seq]
    return cursors.encode(LIST, values, tenant=reader.tenant)


async def place_of(reader: Reader, after: str | None) -> Position:
    """The place that a cursor names; the start without one, the present end for `now`.

    Raises InvalidCursor, FeedRestarted and DatabaseUnavailable.
    """
    if after is None:
        return START
    if after == NOW:
        async with reader.database.connection(reader.context) as connection:
            page = await read_page(connection, Reader(reader.database, reader.context, reader.trust_id, ()), START, 1)
        return page.after
    identifier, given_in, epoch, xid, seq = cursors.decode(LIST, after, tenant=reader.tenant, parameter="after")
    async with reader.database.connection(reader.context) as connection:
        row = await connection.fetchrow("select epoch, system_identifier from feed_epoch")
    assert row is not None
    if (identifier, given_in) != (row["system_identifier"], row["epoch"]):
        raise FeedRestarted(
            "The database was restored since this cursor was given out. Forget what you copied, read again without "
            "`after`, and go on from there; events that you know have the same id.",
            restart=f"/{reader.database.schema}/v1/events",
        )
    return Position(epoch, xid, seq)


class Follower:
    """Reads on and on: the next page as soon as there is one, or nothing after a while."""

    def __init__(self, reader: Reader, position: Position, closing: Closing) -> None:
        self.reader = reader
        self.position = position
        self._closing = closing

    async def next_page(self, limit: int, seconds: float) -> Page:
        """The next events; an empty page when none came within `seconds` or the process is asked to stop."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        with self.reader.database.wakeups.waiting(channel(self.reader.database.schema)) as waiter:
            pause: float | None = None
            while True:
                async with self.reader.database.connection(self.reader.context) as connection:
                    page = await read_page(connection, self.reader, self.position, limit)
                self.position = page.after
                left = deadline - loop.time()
                if page.events or left <= 0 or self._closing.requested:
                    return page
                look = LOOK_SECONDS if waiter.hears else LOOK_SECONDS_DEAF
                poked = await self._wait(waiter, min(pause or look, look, left))
                if poked:
                    pause = FIRST_PAUSE_SECONDS
                elif pause is not None:
                    pause *= 2

    async def _wait(self, waiter: Waiter, seconds: float) -> bool:
        poked: asyncio.Task[bool] = asyncio.ensure_future(waiter.wait(seconds))
        closing: asyncio.Task[None] = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({poked, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            poked.cancel()
            closing.cancel()
        return poked.done() and not poked.cancelled() and poked.result()


Media = Literal["application/json", "text/event-stream"]


def media_of(accept: str | None) -> Media:
    """Which of its two forms of the feed a reader wants: a stream only when it names it."""
    wanted = (part.partition(";")[0].strip().lower() for part in (accept or "").split(","))
    return "text/event-stream" if "text/event-stream" in wanted else "application/json"
