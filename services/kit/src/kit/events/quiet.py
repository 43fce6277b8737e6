"""Long transactions that don't hold the feed back.

Readers of the feed wait for the oldest transaction that may still record events (`kit.events.pages`). A quiet one says
at its beginning that it records none, by an advisory lock that every role can see. When it has events after all,
`record_late` gives them a place of their own: not that of the transaction's number, which readers have passed, but one
that no reader has reached. It is called shortly before the end, since from then on readers wait.
"""

from typing import Final

from sqlalchemy import text

from kit.database.sessions import QUIET_SPACE, Session, is_quiet, speak

LATE_SPACE: Final = 0x54_52_4C_4C
"""The first key of the locks of late events; the second is the lowest place that they may get."""

# The lock first: a reader who doesn't see it has taken its snapshot before the place is chosen.
_LOCK = text(
    f"select pg_advisory_xact_lock_shared({LATE_SPACE},"
    " (pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295)::bit(32)::int)"
)
# Never below its own number, up to which readers wait who see it end just now.
_PLACE = text(
    "select set_config('app.event_position',"
    " greatest(pg_snapshot_xmax(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint)::text, true)"
)

_NUMBER = "(w.transactionid::text::bigint & 4294967295)"
_XMAX = "pg_snapshot_xmax(pg_current_snapshot())"

HORIZON: Final = f"""
horizon as materialized (
    select f.epoch, f.system_identifier, case
        -- Locks are looked at only where something is to be gained.
        when not exists (
            select from event
            where {{trust}} epoch = f.epoch and xid >= pg_snapshot_xmin(pg_current_snapshot())
        ) then pg_snapshot_xmin(pg_current_snapshot())
        else (
            -- One look at all locks: those of a transaction are seen together or not at all.
            with held as materialized (
                select locktype, virtualtransaction, classid::bigint as space, objid::bigint as place, transactionid
                from pg_locks
                where granted and (
                    (locktype = 'transactionid' and mode = 'ExclusiveLock')
                    or (locktype = 'advisory' and objsubid = 2 and classid::bigint in ({QUIET_SPACE}, {LATE_SPACE}))
                )
            ), late as (
                select {_XMAX}::text::bigint - (({_XMAX}::text::bigint - place) & 4294967295) as place
                from held where space = {LATE_SPACE}
            ), loud as (
                select x from pg_snapshot_xip(pg_current_snapshot()) x where not exists (
                    select from held w join held q using (virtualtransaction)
                    where w.locktype = 'transactionid' and q.space = {QUIET_SPACE}
                      and {_NUMBER} = (x::text::bigint & 4294967295)
                )
            )
            select least(
                coalesce((select min(x::text::bigint) from loud), {_XMAX}::text::bigint),
                coalesce((select min(place) from late), {_XMAX}::text::bigint)
            )::text::xid8
        )
    end as xmin
    from feed_epoch f
)
"""  # noqa: S608 - constants
"""The part of a statement that finds up to where its snapshot shows all events: below every transaction that runs and
isn't quiet, and below every late event that isn't committed.

A transaction that ran when the snapshot was taken and has ended since has no lock any more: it counts as one that runs.
"""


async def record_late(session: Session) -> None:
    """Let a quiet transaction record events from here on; nothing for one that isn't quiet."""
    if is_quiet(session):
        await session.execute(_LOCK)
        await session.execute(_PLACE)
        speak(session)
