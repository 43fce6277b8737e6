"""The use cases of imports: accept a file, follow it, cancel it, take it back, and say how files are laid out."""

from __future__ import annotations

import hashlib
from uuid import UUID

from academy.codes import Code
from academy.imports import queries
from academy.imports.applying.end import KEPT_FOR, end
from academy.imports.errors import (
    AcademicYearAhead,
    AcademicYearMissing,
    FileTypeNotAccepted,
    ImportAlreadyFinished,
    ImportKindNotAllowed,
    ImportKindNotFound,
    ImportNotFound,
    SameFileOtherYear,
)
from academy.imports.formats.kind import Kind
from academy.imports.formats.kinds import KINDS
from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.upload import EVERYTHING, ReceivedFile, Shape
from academy.imports.rules import SENDERS, WITHDRAW_TASK, imports_lock, run_task
from academy.imports.schemas import (
    Confirmation,
    ImportCreateParams,
    ImportKind,
    ImportKindOut,
    ImportKindPage,
    ImportListParams,
    ImportOut,
    ImportPage,
    ImportTemplateOut,
    TemplateColumnOut,
)
from academy.imports.tables import Import
from academy.imports.transitions import IMPORTS
from academy.observations.rules import Layer
from academy.parameters import today
from kit import clock
from kit.database.contexts import Context
from kit.database.reservations import reserve, reserve_disk
from kit.database.sessions import Session, context_of, set_context
from kit.disks import Disks, StorageQuotaReached, in_megabytes
from kit.etags import etag
from kit.field_codes import KitCode
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.jobs.queue import JobId, defer_in_turn
from kit.problems import FieldError
from kit.resources.paging import Listing, paginate
from kit.resources.transitions import acting_role
from sector.years import academic_year_on

GZIP = "application/gzip"
FIRST_LOOK_SECONDS = 300
SOON_SECONDS = 5
UNNAMED = "application/octet-stream"
TABLES = ("text/csv", "application/csv")
NEWEST = Listing("imports", Import, "-created_at", "-id")
_UTF_8 = ("utf-8", "utf8")
_WINDOWS_1252 = ("windows-1252", "cp1252")


def named_type(kind: str, media_type: str) -> str:
    """The type of a file that is sent as this: programs that know only bytes send the first type of its kind."""
    return KINDS[kind].media_types[0] if media_type == UNNAMED else media_type


def check_request(
    caller: Caller, params: ImportCreateParams, media_type: str | None, charset: str | None = None
) -> None:
    """Check what can be checked before the file is sent.

    Raises ImportKindNotAllowed, FileTypeNotAccepted, AcademicYearMissing and AcademicYearAhead.
    """
    kind = KINDS[params.kind]
    if not caller.may(kind.load.scope):
        raise ImportKindNotAllowed(f"Files of the kind {kind.code} need {kind.load.scope}.")
    if media_type != GZIP and media_type not in kind.media_types:
        named = ", ".join([*kind.media_types, GZIP])
        raise FileTypeNotAccepted(f"Send {kind.code} as {named}.", headers={"Accept": named})
    if charset is not None and charset not in (known := _charsets(kind, media_type)):
        raise FileTypeNotAccepted(f"Send {kind.code} in {' or '.join(known)}.", headers={"Accept": media_type})
    if kind.needs_academic_year and params.academic_year is None:
        detail = f"Files of the kind {kind.code} don't contain their academic year: send academic_year=2018/19."
        raise AcademicYearMissing(detail, errors=[FieldError.in_query("academic_year", KitCode.MISSING, detail)])
    latest = academic_year_on(today())
    if params.academic_year is not None and params.academic_year > latest:
        detail = f"The academic year {params.academic_year} hasn't begun; this is {latest}."
        raise AcademicYearAhead(detail, errors=[FieldError.in_query("academic_year", Code.ACADEMIC_YEAR_AHEAD, detail)])


def _charsets(kind: Kind, media_type: str) -> tuple[str, ...]:
    """The encodings that a file of this kind and type may be in: published tables are of several."""
    is_table = kind.layer is Layer.NATIONAL and media_type in TABLES
    return (*_UTF_8, *_WINDOWS_1252) if is_table else _UTF_8


def shape_of(media_type: str) -> Shape | None:
    """What a file of this media type looks like; None for a gzipped one, of which nothing is known."""
    if media_type == GZIP:
        return None
    return Shape.TABLE if media_type in TABLES else Shape.JSON


async def accept(
    session: Session,
    caller: Caller,
    params: ImportCreateParams,
    media_type: str,
    file: ReceivedFile,
    limits: ImportLimits,
    disks: Disks = EVERYTHING,
) -> ImportOut:
    """Keep the file and queue its import, in one transaction: what is acknowledged is never lost.

    Raises StorageQuotaReached, StorageFull, and SameFileOtherYear when the sender must confirm that it is meant so.
    """
    await _check_year(session, caller, params, file)
    others_bytes = await reserve(session, "academy/imports", caller.tenant_id, file.size_bytes)
    await check_quota(session, caller, limits, file.size_bytes, others_bytes=others_bytes)
    await reserve_disk(session, disks, file.size_bytes)
    created = Import(
        trust_id=caller.tenant_id,
        id=uuid7(),
        kind=params.kind.value,
        academic_year=params.academic_year,
        release=params.release.value,
        dry_run=params.dry_run,
        state="queued",
        content_type=media_type,
        is_gzipped=file.is_gzipped,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        academies=None if caller.academies is None else sorted(caller.academies),
        confirmed=sorted(set(params.confirm)),
        created_by=caller.subject,
        created_at=clock.now(),
    )
    session.add(created)
    await session.flush()
    await queries.add_chunks(session, created.trust_id, created.id, file.chunks(disks))
    about: dict[str, JobId] = {"trust_id": created.trust_id, "import_id": created.id}
    await defer_in_turn(session, run_task(file.unpacked_bytes), lock=imports_lock(created.trust_id), **about)
    return ImportOut.of(created, caller)


async def check_quota(
    session: Session, caller: Caller, limits: ImportLimits, coming_bytes: int, *, others_bytes: int = 0
) -> None:
    """Raises StorageQuotaReached when the files of the trust's imports would take more than they may.

    `others_bytes` are being stored at this moment. Without them it is a first look, which keeps nobody out too early.
    """
    # What others of the trust have sent counts too, whatever the caller sees of it.
    await set_context(session, Context(caller.tenant_id, None, caller.subject))
    kept_bytes = await queries.kept_bytes(session, caller.tenant_id)
    ended_at = await queries.first_ended_at(session, caller.tenant_id)
    await set_context(session, context_of(caller))
    if kept_bytes + others_bytes + coming_bytes <= limits.kept_bytes:
        return
    if kept_bytes + coming_bytes <= limits.kept_bytes:
        raise StorageQuotaReached(
            f"The files of your trust's imports take {in_megabytes(kept_bytes)} of the "
            f"{in_megabytes(limits.kept_bytes)} that they may, this one has {in_megabytes(coming_bytes)}, and others "
            "are being stored at this moment. Send it again in a few seconds.",
            retry_after_seconds=SOON_SECONDS,
            kept_bytes=kept_bytes,
            limit_bytes=limits.kept_bytes,
        )
    when, seconds = "", FIRST_LOOK_SECONDS
    if ended_at is not None:
        freed_at = ended_at + KEPT_FOR
        when = f" The next one is deleted on {freed_at:%-d %B %Y at %H:%M} UTC."
        seconds = max(1, round((freed_at - clock.now()).total_seconds()))
    raise StorageQuotaReached(
        f"The files of your trust's imports take {in_megabytes(kept_bytes)} of the {in_megabytes(limits.kept_bytes)} "
        f"that they may, and this one has {in_megabytes(coming_bytes)}. A file is deleted {KEPT_FOR.days} days after "
        f"its import has ended.{when}",
        retry_after_seconds=seconds,
        kept_bytes=kept_bytes,
        limit_bytes=limits.kept_bytes,
    )


async def _check_year(session: Session, caller: Caller, params: ImportCreateParams, file: ReceivedFile) -> None:
    """Nothing in a file without years says that it is sent for the wrong one, but that it was sent before may."""
    if params.academic_year is None or Confirmation.SAME_FILE_OTHER_YEAR in params.confirm:
        return
    other = await queries.same_file_of_other_year(
        session, caller.tenant_id, params.kind.value, file.sha256, params.academic_year
    )
    if other is not None:
        raise SameFileOtherYear(
            f"The same file was loaded for {other.academic_year} (import {other.id}). If it is right for "
            f"{params.academic_year} too, send confirm={Confirmation.SAME_FILE_OTHER_YEAR}. If {other.academic_year} "
            "was wrong, take that import back first."
        )


async def list_imports(session: Session, caller: Caller, params: ImportListParams) -> ImportPage:
    """A page of the tenant's imports, newest first. Raises InvalidCursor."""
    found = await paginate(session, caller, NEWEST, queries.matching(caller.tenant_id, params), params)
    return ImportPage.of(found, lambda row: ImportOut.of(row[0], caller, row[1]))


async def view_import(session: Session, caller: Caller, import_id: UUID) -> ImportOut:
    """One import. Raises ImportNotFound."""
    return ImportOut.of(await find_import(session, caller, import_id), caller)


async def find_import(session: Session, caller: Caller, import_id: UUID, *, lock: bool = False) -> Import:
    """One import that the caller may see; with `lock` nobody else ends it. Raises ImportNotFound."""
    found = await queries.import_by_id(session, caller.tenant_id, import_id, lock=lock)
    if found is None:
        raise ImportNotFound("No import of yours has this id.")
    return found


async def cancel_import(session: Session, caller: Caller, import_id: UUID, if_match: str) -> ImportOut:
    """Cancel an import that has not ended; nothing of its file is kept as figures.

    Raises ImportNotFound, ImportKindNotAllowed, PreconditionFailed and ImportAlreadyFinished.
    """
    found = await find_import(session, caller, import_id, lock=True)
    kind = KINDS[found.kind]
    if not caller.may(kind.load.scope):
        raise ImportKindNotAllowed(f"Files of the kind {kind.code} need {kind.load.scope}.")
    found.check(if_match)
    if await queries.is_applied(session, import_id):
        raise ImportAlreadyFinished("The import has been applied already; its end is being written.")
    if found.finished_at is not None:
        raise ImportAlreadyFinished(f"The import has {found.state} already.")
    await end(session, found, "cancelled", by=caller.subject, as_role=acting_role(caller, SENDERS))
    return ImportOut.of(found, caller)


async def withdraw_import(
    session: Session, caller: Caller, import_id: UUID, if_match: str, reason: str | None
) -> ImportOut:
    """Have the worker take back what an import changed: what stood before it counts again.

    Raises ImportNotFound, ImportKindNotAllowed, RoleMayNot, PreconditionFailed, TransitionNotAllowed, ReasonMissing and
    ImportNotWithdrawable.
    """
    found = await find_import(session, caller, import_id, lock=True)
    kind = KINDS[found.kind]
    if not caller.may(kind.load.scope):
        raise ImportKindNotAllowed(f"Files of the kind {kind.code} need {kind.load.scope}.")
    taken = IMPORTS.check("withdraw", found, caller, if_match=if_match, tag=found.tag)
    await IMPORTS.apply(session, taken, found, reason=reason)
    found.withdrawn_by, found.withdrawn_as, found.withdrawal_reason = caller.subject, taken.as_role, reason
    await session.flush()
    # After the imports that were sent before.
    about = {"trust_id": found.trust_id, "import_id": found.id}
    await defer_in_turn(session, WITHDRAW_TASK, lock=imports_lock(found.trust_id), **about)
    return ImportOut.of(found, caller)


def list_kinds() -> ImportKindPage:
    """Every kind of import."""
    return ImportKindPage(items=[_kind_out(kind) for kind in KINDS.values()], next=None)


def _kind_out(kind: Kind) -> ImportKindOut:
    """A kind of import as clients see it."""
    return ImportKindOut(
        kind=ImportKind(kind.code),
        title=kind.title,
        publisher=kind.publisher,
        layer=kind.layer,
        scope=kind.load.scope,
        media_types=[*kind.media_types, GZIP],
        needs_academic_year=kind.needs_academic_year,
        notes=kind.notes,
    )


def template_of(code: str) -> ImportTemplateOut:
    """How a file of this kind is laid out. Raises ImportKindNotFound."""
    kind = KINDS.get(code)
    if kind is None:
        raise ImportKindNotFound(f"There is no kind {code}; there are {', '.join(KINDS)}.")
    template = ImportTemplateOut(
        kind=ImportKind(kind.code),
        media_types=[*kind.media_types, GZIP],
        needs_academic_year=kind.needs_academic_year,
        columns=[TemplateColumnOut.model_validate(column, from_attributes=True) for column in kind.columns],
        example=kind.example(),
        notes=kind.notes,
    )
    return template.tagged(etag(hashlib.sha256(template.model_dump_json().encode()).hexdigest()[:32]))
