"""Pages of the change feed, as the database gives them: what lies below its horizon, in one order.

Events are read in the order (epoch, transaction id, sequence) and only below the oldest transaction that still runs:
what comes later in this order can't have been committed earlier and be missed. Transactions that are quiet aren't
waited for (`kit.events.quiet`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from kit.database.sessions import Connection, Context, Database
from kit.events.quiet import HORIZON


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
    horizon: int
    """Events of this epoch are in it up to below this transaction."""

    def reaches(self, end: Position) -> bool:
        """Was it read late enough to show an event at this place?"""
        return end.epoch < self.origin.epoch or end.xid < self.horizon


# One statement, hence one snapshot: the horizon, the page below it, and the last event below it (so that a reader of
# few types needn't pass over all others again each time).
_PAGE = """
with {horizon}, page as (
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
select h.epoch as now_epoch, h.system_identifier, h.xmin::text as horizon, p.epoch, p.xid::text, p.seq, p.id,
       p.trust_id, p.type, p.subject, p.urn, p.occurred_at, p.data::text, l.epoch as last_epoch,
       l.xid::text as last_xid, l.seq as last_seq
from horizon h left join page p on true left join last l on true
order by p.epoch, p.xid, p.seq
"""
OF_TRUST = _PAGE.format(horizon=HORIZON, trust="{trust}").format(trust="trust_id = $6::uuid and")
OF_ALL = _PAGE.format(horizon=HORIZON, trust="{trust}").format(trust="")


# Where the feed ends, and whether events are committed beyond it that an older open transaction still holds back.
_END = """
with {horizon}
select l.epoch, l.xid::text, l.seq, exists (
    select from event where {trust} epoch = h.epoch and xid >= h.xmin
) as is_behind
from horizon h left join lateral (
    select epoch, xid, seq from event
    where {trust} (epoch < h.epoch or xid < h.xmin)
    order by epoch desc, xid desc, seq desc limit 1
) l on true
"""
END_OF_TRUST = _END.format(horizon=HORIZON, trust="{trust}").format(trust="trust_id = $1::uuid and")
END_OF_ALL = _END.format(horizon=HORIZON, trust="{trust}").format(trust="")


async def read_page(connection: Connection, reader: Reader, after: Position, limit: int) -> Page:
    """The next events after a place, at most `limit`; none when there are none yet."""
    arguments = [after.epoch, str(after.xid), after.seq, list(reader.types), limit]
    if reader.trust_id is None:
        rows = await connection.fetch(OF_ALL, *arguments)
    else:
        rows = await connection.fetch(OF_TRUST, *arguments, reader.trust_id)
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
    return Page(events, end, Origin(first["now_epoch"], first["system_identifier"]), int(first["horizon"]))


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
