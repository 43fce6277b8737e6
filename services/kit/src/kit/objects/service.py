"""Files of things: kept with what they belong to, found again, listed."""

from dataclasses import dataclass
from uuid import UUID

from kit import clock
from kit.database.contexts import Context
from kit.database.reservations import reserve
from kit.database.sessions import Session, context_of, set_context
from kit.disks import StorageQuotaReached, in_megabytes
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.objects import queries
from kit.objects.errors import ObjectStoreUnavailable, StoredFileNotFound, TooManyFiles
from kit.objects.media_types import with_ending
from kit.objects.receiving import ReceivedFile
from kit.objects.stores import ObjectStore
from kit.objects.tables import StoredFile

MOST_FILES = 20
QUOTA_SECONDS = 300
SOON_SECONDS = 5


@dataclass(frozen=True, slots=True)
class FileOwner:
    """What files belong to: its path in the service (`moderations/{id}`), and its academy, if it has one."""

    path: str
    urn: int | None


async def check_room(
    session: Session, caller: Caller, owner: FileOwner, coming_bytes: int, limit_bytes: int, *, others_bytes: int = 0
) -> None:
    """Raises TooManyFiles, and StorageQuotaReached when the files of the trust would take more than they may.

    `others_bytes` are being stored at this moment. Without them it is a first look, before a file is sent.
    """
    if await queries.count_of(session, caller.tenant_id, owner.path) >= MOST_FILES:
        raise TooManyFiles(f"There may be at most {MOST_FILES} files.")
    # What others of the trust have sent counts too, whatever the caller sees of it.
    await set_context(session, Context(caller.tenant_id, None, caller.subject))
    kept_bytes = await queries.kept_bytes(session, caller.tenant_id)
    await set_context(session, context_of(caller))
    if kept_bytes + others_bytes + coming_bytes <= limit_bytes:
        return
    is_soon = kept_bytes + coming_bytes <= limit_bytes
    raise StorageQuotaReached(
        f"The attached files of your trust take {in_megabytes(kept_bytes)} of the {in_megabytes(limit_bytes)} that "
        f"they may, and this one has {in_megabytes(coming_bytes)}. "
        + ("Others are being stored: send it again in a few seconds." if is_soon else "Contact the operator."),
        retry_after_seconds=SOON_SECONDS if is_soon else QUOTA_SECONDS,
        kept_bytes=kept_bytes,
        limit_bytes=limit_bytes,
    )


async def add_file(
    session: Session,
    caller: Caller,
    store: ObjectStore,
    owner: FileOwner,
    received: ReceivedFile,
    name: str,
    *,
    limit_bytes: int,
) -> StoredFile:
    """Name an object that the store has; the row commits with the session. A trust's files may take `limit_bytes`.

    Raises TooManyFiles, StorageQuotaReached, or ObjectStoreUnavailable when the object was removed meanwhile.
    """
    await queries.hold_owner(session, caller.tenant_id, owner.path)
    size = received.size_bytes
    others_bytes = await reserve(session, f"{received.key.service}/files", caller.tenant_id, size)
    await check_room(session, caller, owner, size, limit_bytes, others_bytes=others_bytes)
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
