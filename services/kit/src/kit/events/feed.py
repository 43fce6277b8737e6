"""The change feed: every event of a trust once, in one order, from any point on.

A cursor names a place in the order of `kit.events.pages`, and the cluster and epoch that gave it out: in another
cluster transaction ids mean something else.
"""

import asyncio
from typing import Literal

from kit import cursors
from kit.events.pages import START, Origin, Page, Position, Reader, read_page
from kit.events.watching import watches_of
from kit.problems import Gone
from kit.shutdown import Closing

LIST = "events"
NOW = "now"


class FeedRestarted(Gone):
    """The cursor is from before a restore or from another installation; read again from the start."""


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

    async def next_page(self, limit: int, seconds: float, *, after: Page | None = None) -> Page:
        """The next events; an empty page when none came within `seconds` or the process is asked to stop.

        `after` is the empty page that was read last, where one was: it isn't read once more at first.
        """
        page = after or await self._read(limit)
        if page.events or seconds <= 0:
            return page
        deadline = asyncio.get_running_loop().time() + seconds
        # Up to there nothing is left for this reader, though events that it may not see don't move its own place.
        seen = START
        with watches_of(self.reader.database).watching(self.reader, self._closing) as watch:
            while not page.events and not self._closing.requested:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0 or not await watch.beyond(max(self.position, seen), left) or self._closing.requested:
                    break
                seen = watch.end
                page = await watch.page(self.reader, self.position, limit)
                self.position = page.after
        return page

    async def _read(self, limit: int) -> Page:
        async with self.reader.database.connection(self.reader.context) as connection:
            page = await read_page(connection, self.reader, self.position, limit)
        self.position = page.after
        return page


Media = Literal["application/json", "text/event-stream"]


def media_of(accept: str | None) -> Media:
    """Which of its two forms of the feed a reader wants: a stream only when it names it."""
    wanted = (part.partition(";")[0].strip().lower() for part in (accept or "").split(","))
    return "text/event-stream" if "text/event-stream" in wanted else "application/json"
