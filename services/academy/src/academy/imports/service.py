"""The use cases of imports: accept a file, follow it, cancel it, and say how files are laid out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from academy.imports import queries
from academy.imports.applying.end import announce_end
from academy.imports.errors import (
    AcademicYearAhead,
    AcademicYearMissing,
    FileTypeNotAccepted,
    ImportAlreadyFinished,
    ImportKindNotAllowed,
    ImportKindNotFound,
    ImportNotFound,
)
from academy.imports.formats.kind import Kind
from academy.imports.formats.kinds import KINDS
from academy.imports.receiving.upload import ReceivedFile, Shape
from academy.imports.rules import Layer
from academy.imports.schemas import ImportCreateParams, ImportListParams
from academy.parameters import today
from kit import clock
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.jobs.queue import defer
from kit.problems import FieldError
from kit.resources.cursors import decode, encode
from kit.resources.etags import check_if_match, etag, tags_of
from sector.years import academic_year_on

GZIP = "application/gzip"
TABLES = ("text/csv", "application/csv")
RUN_TASK = "academy.imports.run"

_LIST = "imports"
_UTF_8 = ("utf-8", "utf8")
_WINDOWS_1252 = ("windows-1252", "cp1252")


def check_request(
    caller: Caller, params: ImportCreateParams, media_type: str | None, charset: str | None = None
) -> None:
    """What can be refused before the file is sent.

    Raises ImportKindNotAllowed, FileTypeNotAccepted, AcademicYearMissing and AcademicYearAhead.
    """
    kind = KINDS[params.kind]
    if not caller.may(kind.scope):
        raise ImportKindNotAllowed(f"Files of the kind {kind.code} need {kind.scope}.")
    if media_type != GZIP and media_type not in kind.media_types:
        named = ", ".join([*kind.media_types, GZIP])
        raise FileTypeNotAccepted(f"Send {kind.code} as {named}.", headers={"Accept": named})
    if charset is not None and charset not in (known := _charsets(kind, media_type)):
        raise FileTypeNotAccepted(f"Send {kind.code} in {' or '.join(known)}.", headers={"Accept": media_type})
    if kind.needs_academic_year and params.academic_year is None:
        detail = f"Files of the kind {kind.code} don't say their academic year: send academic_year=2018/19."
        raise AcademicYearMissing(detail, errors=[FieldError.in_query("academic_year", "missing", detail)])
    latest = academic_year_on(today())
    if params.academic_year is not None and params.academic_year > latest:
        detail = f"The academic year {params.academic_year} hasn't begun; the present one is {latest}."
        raise AcademicYearAhead(detail, errors=[FieldError.in_query("academic_year", "academic-year-ahead", detail)])


def _charsets(kind: Kind, media_type: str) -> tuple[str, ...]:
    """The encodings that a file of this kind and type may be in: published tables are of several."""
    is_table = kind.layer is Layer.NATIONAL and media_type in TABLES
    return (*_UTF_8, *_WINDOWS_1252) if is_table else _UTF_8


def shape_of(media_type: str) -> Shape | None:
    """What a file of this type looks like; None for a packed one, of which nothing was said."""
    if media_type == GZIP:
        return None
    return Shape.TABLE if media_type in TABLES else Shape.JSON


async def accept(
    session: Session, caller: Caller, params: ImportCreateParams, media_type: str, file: ReceivedFile
) -> dict[str, Any]:
    """Keep the file and queue its import, in one transaction: what is acknowledged is never lost."""
    tenant, import_id = caller.tenant_id, uuid7()
    created = await queries.create_import(
        session,
        tenant,
        {
            "id": import_id,
            "kind": params.kind.value,
            "academic_year": params.academic_year,
            "release": params.release.value,
            "dry_run": params.dry_run,
            "content_type": media_type,
            "is_gzipped": file.is_gzipped,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "academies": None if caller.academies is None else sorted(caller.academies),
            "created_by": caller.subject,
            "created_at": clock.now(),
        },
    )
    await queries.add_chunks(session, tenant, import_id, file.chunks())
    # Imports of one tenant follow one another, in the order in which they were sent.
    await defer(session, RUN_TASK, lock=f"import:{tenant}", trust_id=tenant, import_id=import_id)
    return created


async def list_imports(
    session: Session, caller: Caller, params: ImportListParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the tenant's imports, newest first. Raises InvalidCursor."""
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    after = None
    if params.cursor is not None:
        after = decode(_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    rows = await queries.import_list(
        session, caller.tenant_id, kinds=params.kind, states=params.state, after=after, limit=params.limit + 1
    )
    items = rows[: params.limit]
    if len(rows) <= params.limit:
        return items, None
    values = [items[-1]["created_at"], str(items[-1]["id"])]
    return items, encode(_LIST, values, tenant=caller.tenant_id, filters=filters)


async def view_import(session: Session, caller: Caller, import_id: UUID) -> dict[str, Any]:
    """One import. Raises ImportNotFound."""
    row = await queries.import_view(session, caller.tenant_id, import_id)
    if row is None:
        raise ImportNotFound("No import of yours has this id.")
    return row


def version_of(row: dict[str, Any]) -> str:
    """The version of an import: its state counts first, then how far it is."""
    return f"{row['version']}-{row['progress_percent']}"


async def cancel_import(session: Session, caller: Caller, import_id: UUID, if_match: str) -> dict[str, Any]:
    """Cancel an import that has not ended; nothing of its file is kept as figures.

    Progress alone doesn't make a tag stale: nobody could ever cancel a running import. Raises ImportNotFound,
    ImportKindNotAllowed, PreconditionFailed and ImportAlreadyFinished.
    """
    row = await queries.import_view(session, caller.tenant_id, import_id, for_update=True)
    if row is None:
        raise ImportNotFound("No import of yours has this id.")
    if not caller.may(KINDS[row["kind"]].scope):
        raise ImportKindNotAllowed(f"Files of the kind {row['kind']} need {KINDS[row['kind']].scope}.")
    versions = {tag.partition("-")[0] for tag in tags_of(if_match) or ()}
    if str(row["version"]) not in versions:
        check_if_match(if_match, etag(version_of(row)))
    if await queries.is_applied(session, import_id):
        raise ImportAlreadyFinished("The import has been applied already; its end is being written.")
    cancelled = await queries.cancel(session, caller.tenant_id, import_id, now=clock.now())
    if cancelled is None:
        raise ImportAlreadyFinished(f"The import has {row['state']} already.")
    await announce_end(session, cancelled)
    return cancelled


def kind_out(kind: Kind) -> dict[str, Any]:
    """A kind of import as clients see it."""
    return {
        "kind": kind.code,
        "title": kind.title,
        "publisher": kind.publisher,
        "layer": kind.layer,
        "scope": kind.scope,
        "media_types": [*kind.media_types, GZIP],
        "needs_academic_year": kind.needs_academic_year,
        "notes": kind.notes,
    }


def template_of(code: str) -> dict[str, Any]:
    """How a file of this kind is laid out. Raises ImportKindNotFound."""
    kind = KINDS.get(code)
    if kind is None:
        raise ImportKindNotFound(f"There is no kind {code}; there are {', '.join(KINDS)}.")
    return {
        "kind": kind.code,
        "media_types": [*kind.media_types, GZIP],
        "needs_academic_year": kind.needs_academic_year,
        "columns": [
            {
                "name": column.name,
                "meaning": column.meaning,
                "required": column.required,
                "aliases": list(column.aliases),
                "example": column.example,
            }
            for column in kind.columns
        ],
        "example": kind.example(),
        "notes": kind.notes,
    }
