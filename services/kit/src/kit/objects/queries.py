"""All SQL about files."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import col

from kit.database.sessions import Session
from kit.objects.keys import ObjectKey
from kit.objects.tables import StoredFile

# For the time of a transaction, nobody adopts and sweeps one object at once.
_HOLD = text("select pg_advisory_xact_lock(hashtextextended(:path, 37))")


async def hold(session: Session, key: ObjectKey) -> None:
    """Wait until no other transaction of this service decides about this object."""
    await session.execute(_HOLD, {"path": key.path})


async def hold_owner(session: Session, trust_id: UUID, owner: str) -> None:
    """Wait until no other transaction of this service adds a file to this owner."""
    await session.execute(_HOLD, {"path": f"{trust_id}/{owner}"})


async def files_of(session: Session, trust_id: UUID, owner: str) -> Sequence[StoredFile]:
    """The files of one owner that the caller may see, oldest first."""
    query = (
        select(StoredFile)
        .where(col(StoredFile.trust_id) == trust_id, col(StoredFile.owner) == owner)
        .order_by(col(StoredFile.created_at), col(StoredFile.id))
    )
    return (await session.execute(query)).scalars().all()


async def file_of(session: Session, trust_id: UUID, owner: str, file_id: UUID) -> StoredFile | None:
    """One file of one owner; None when there is none that the caller may see."""
    found = await session.get(StoredFile, (trust_id, file_id))
    return found if found is not None and found.owner == owner else None


async def count_of(session: Session, trust_id: UUID, owner: str) -> int:
    """How many files an owner has."""
    query = select(func.count()).where(col(StoredFile.trust_id) == trust_id, col(StoredFile.owner) == owner)
    return int((await session.execute(query)).scalar_one())


async def kept_bytes(session: Session, trust_id: UUID) -> int:
    """How much the files take that the session sees; what is stored once is counted once."""
    objects = select(col(StoredFile.sha256), col(StoredFile.size_bytes)).where(col(StoredFile.trust_id) == trust_id)
    of_each = objects.distinct().subquery()
    query = select(func.coalesce(func.sum(of_each.c.size_bytes), 0))
    return int((await session.execute(query)).scalar_one())


async def named(session: Session, trust_id: UUID, hashes: Collection[str]) -> set[str]:
    """Which of these objects a row names."""
    query = select(col(StoredFile.sha256)).where(
        col(StoredFile.trust_id) == trust_id, col(StoredFile.sha256).in_(list(hashes))
    )
    return set((await session.execute(query)).scalars())
