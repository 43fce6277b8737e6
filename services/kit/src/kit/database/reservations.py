"""Space that transactions under way are about to use, so that a limit holds however many of them run at once.

A transaction doesn't see what others haven't committed. So each first reserves, and then adds up what is reserved and
what is stored: of two that don't fit together at least one sees the other. A reservation is an advisory lock of
Postgres whose second number is a size. It ends with its transaction, also when that is cut off or its process is
killed, and only after the rows of the transaction are visible: nothing that is stored is left out. Nobody waits.
"""

from typing import Final
from uuid import UUID
from zlib import crc32

from sqlalchemy import text

from kit.database.sessions import Session
from kit.disks import Disks
from kit.ids import PLATFORM

_UNIT: Final = 1024
_MOST_UNITS: Final = (1 << 31) - 1
_WRITTEN_TWICE: Final = 2
_RESERVE: Final = text("select pg_advisory_xact_lock_shared(:space, :units)")
_RESERVED: Final = text(
    "select coalesce(sum(objid::bigint), 0) from pg_locks where locktype = 'advisory' and granted and objsubid = 2"
    " and database = (select oid from pg_database where datname = current_database())"
    " and classid::bigint = cast(:space as bigint)"
)


async def reserve(session: Session, what: str, trust_id: UUID, size_bytes: int) -> int:
    """Reserve space until this transaction ends; gives the bytes that others have reserved.

    `what` names the kind of space, such as `academy/files`. Sizes are rounded up to KiB. Call it once in a transaction
    for each kind, and read what is stored afterwards.
    """
    space = _space(what, trust_id)
    units = min(-(-size_bytes // _UNIT), _MOST_UNITS)
    await session.execute(_RESERVE, {"space": space - (1 << 32), "units": units})
    reserved = (await session.execute(_RESERVED, {"space": space})).scalar_one()
    return (int(reserved) - units) * _UNIT


async def reserve_disk(session: Session, disks: Disks, size_bytes: int) -> None:
    """Reserve room on the disks for what this transaction stores in the database, until it ends.

    What all transactions of the installation have reserved counts in full until they end, though part of it may lie on
    the disk already. Raises StorageFull.
    """
    # As a row, and in the log of the database.
    coming_bytes = _WRITTEN_TWICE * size_bytes
    disks.check(coming_bytes, others_bytes=await reserve(session, "disks", PLATFORM, coming_bytes))


def _space(what: str, trust_id: UUID) -> int:
    """The first number of the lock, as an unsigned one. The named spaces of the house are below 2^31."""
    return crc32(f"{what}/{trust_id}".encode()) | (1 << 31)
