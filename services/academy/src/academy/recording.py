"""When something was recorded, and up to when a reader has seen everything.

Rows carry the instant at which their import began to write (`recorded_at`, `updated_at`), but are seen only when it
commits: a reader that remembers the newest instant it saw would miss those that commit later with an earlier one. So
an import holds a shared advisory lock that names its instant while it writes, and readers take the earliest of these
as their watermark. Locks are seen by every role, need no table, and go with their transaction, however it ends.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from kit import clock
from kit.database.sessions import Session

# The first key of our two-key advisory locks; the second is the instant, in seconds since EPOCH.
LOCK_SPACE = 0x54_52_4C_53
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

_LOCK = text(
    "select pg_advisory_xact_lock_shared(cast(:space as int),"
    " floor(extract(epoch from clock_timestamp() - cast(:epoch as timestamptz)))::int)"
)
_NOW = text("select clock_timestamp()")
_OLDEST = text(
    """
    select clock_timestamp() as now, (
        select min(objid::bigint) from pg_locks
        where locktype = 'advisory' and classid::bigint = :space and objsubid = 2
          and database = (select oid from pg_database where datname = current_database())
    ) as oldest
    """
)


async def begin_recording(session: Session) -> datetime:
    """The instant to record for everything that this transaction writes. Ask once, before the first row."""
    await session.execute(_LOCK, {"space": LOCK_SPACE, "epoch": EPOCH})
    at: datetime = (await session.execute(_NOW)).scalar_one()
    return at + clock.offset()


async def synced_to(session: Session) -> datetime:
    """A watermark below every transaction that still writes: all that was recorded up to it can be seen.

    Ask before reading the list, and give it to the reader as the `updated_since` of next time.
    """
    row = (await session.execute(_OLDEST, {"space": LOCK_SPACE})).one()
    now: datetime = row.now
    if row.oldest is None:
        return now + clock.offset()
    return min(now, EPOCH + timedelta(seconds=int(row.oldest))) + clock.offset()
