"""Files of things: kept with what they belong to, found again, listed."""

from dataclasses import dataclass
from uuid import UUID

from kit import clock
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.objects import queries
from kit.objects.errors import ObjectStoreUnavailable, StoredFileNotFound, TooManyFiles
from kit.objects.media_types import with_ending
from kit.objects.receiving import ReceivedFile
from kit.objects.stores import ObjectStore
from kit.objects.tables import StoredFile

MOST_FILES = 20


@dataclass(frozen=True, slots=True)
class FileOwner:
    """What files belong to: its path in the service (`moderations/{id}`), and its academy, if it has one."""

    path: str
    urn: int | None


async def add_file(
    session: Session, caller: Caller, store: ObjectStore, owner: FileOwner, received: ReceivedFile, name: str
) -> StoredFile:
    """Name an object that the store has; the row commits with the session.

    Raises TooManyFiles, or ObjectStoreUnavailable when the object was swept meanwhile.
    """
    await queries.hold_owner(session, caller.tenant_id, owner.path)
    if await queries.count_of(session, caller.tenant_id, owner.path) >= MOST_FILES:
        raise TooManyFiles(f"There may be at most {MOST_FILES} files.")
    await queries.hold(session, received.key)
    if not await store.has(received.key, received.size_bytes):
        raise ObjectStoreUnavailable("The file was not kept. Send it again.", retry_after_seconds=1)
    file = StoredFile(
        trust_id=caller.tenant_id,
        id=uuid7(),
        owner=owner.path,
        urn=owner.urn,
        sha256=received.key.sha256,
        size_bytes=received.size_bytes,
        media_type=received.media_type,
        name=with_ending(name, received.media_type),
        created_at=clock.now(),
        created_by=caller.subject,
    )
    session.add(file)
    await session.flush()
    return file


async def file_of(session: Session, caller: Caller, owner: FileOwner, file_id: UUID) -> StoredFile:
    """One file of an owner. Raises StoredFileNotFound."""
    found = await queries.file_of(session, caller.tenant_id, owner.path, file_id)
    if found is None:
        raise StoredFileNotFound(f"There is no file {file_id} that you may see.")
    return found


async def list_files(session: Session, caller: Caller, owner: FileOwner) -> list[StoredFile]:
    """The files of an owner, oldest first; at most MOST_FILES."""
    return list(await queries.files_of(session, caller.tenant_id, owner.path))
