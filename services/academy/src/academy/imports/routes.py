"""Imports over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response

from academy.imports import service
from academy.imports.errors import (
    AcademicYearAhead,
    AcademicYearMissing,
    FileTypeNotAccepted,
    FileUnreadable,
    ImportAlreadyFinished,
    ImportKindNotAllowed,
    ImportKindNotFound,
    ImportNotFound,
    ImportNotWithdrawable,
    ImportTooLarge,
    SameFileOtherYear,
)
from academy.imports.formats.kinds import KINDS
from academy.imports.receiving.limits import ImportLimits
from academy.imports.receiving.upload import CHUNK_BYTES, receive, too_large
from academy.imports.schemas import (
    ImportCreateParams,
    ImportKindPage,
    ImportListParams,
    ImportOut,
    ImportPage,
    ImportTemplateOut,
)
from kit.database.sessions import context_of
from kit.disks import Disks, StorageFull, StorageQuotaReached
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import InvalidCursor, responses
from kit.resources.fields import ReasonGiven
from kit.resources.transitions import ReasonMissing, RoleMayNot, TransitionNotAllowed
from kit.web.bodies import charset_of, media_type_of, streamed_body
from kit.web.idempotency import (
    IdempotencyKeyReused,
    IdempotentRoute,
    SealedRoute,
    answer_of,
    claim,
    fingerprint,
    keep,
    key_of,
)
from kit.web.replies import TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep, database_of_request
from kit.web.streams import pieces_of
from kit.web.tags import IfMatch, tagged
from kit.web.tools import tools_of


def install(app: FastAPI) -> None:
    """Give the app its limits; tests narrow them."""
    app.state.import_limits = ImportLimits()


router = APIRouter(tags=["imports"], route_class=IdempotentRoute)
# A reason is what a person wrote.
sealed = APIRouter(route_class=SealedRoute)

Reader = Annotated[Caller, requires("imports:read")]
Writer = Annotated[Caller, requires("imports:write", acts_on=ActsOn.ACADEMIES)]

_CREATE_ROUTE = "POST /imports"
_BINARY = {"type": "string", "format": "binary"}
_FILES: Mapping[str, Mapping[str, Any]] = {
    media_type: {"schema": _BINARY if media_type == service.GZIP else {"type": "string"}}
    for media_type in (*dict.fromkeys(name for kind in KINDS.values() for name in kind.media_types), service.GZIP)
} | {
    "application/json": {},
    service.UNNAMED: {"schema": _BINARY},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A key that you choose (a UUID). The same key and file within 24 hours create one import.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_ENCODING = {
    "name": "Content-Encoding",
    "in": "header",
    "required": False,
    "description": "`gzip` when the file is gzipped and sent under its own type.",
    "schema": {"type": "string", "enum": ["gzip", "identity"]},
}


@router.post(
    "/imports",
    operation_id="import_create",
    summary="Import a file",
    status_code=202,
    response_model=ImportOut,
    responses={
        202: {
            "headers": {
                "Location": {"description": "Where to follow it.", "schema": {"type": "string"}},
                "ETag": {"description": "Its version.", "schema": {"type": "string"}},
            }
        },
        **responses(
            ImportKindNotAllowed,
            AcademicYearMissing,
            AcademicYearAhead,
            FileTypeNotAccepted,
            FileUnreadable,
            ImportTooLarge,
            StorageFull,
            StorageQuotaReached,
            IdempotencyKeyReused,
            SameFileOtherYear,
        ),
    },
    openapi_extra={
        "x-idempotent": False,
        "parameters": [_KEY, _ENCODING],
        **streamed_body(_FILES, description="The file itself, not a form. At most 512 MiB, 2 GiB unpacked."),
    },
)
async def import_create(request: Request, caller: Writer, params: Annotated[ImportCreateParams, Query()]) -> Response:
    """Stores a file and queues its import. The file is applied completely or not at all.

    Follow the import at `Location`. `application/octet-stream` stands for the first type of the kind.
    National kinds need the role platform-operator; a trust's own figures (`observations`) need data-manager
    or mis-client.
    """
    limits: ImportLimits = request.app.state.import_limits
    content_type = request.headers.get("content-type", "")
    media_type = service.named_type(params.kind, media_type_of(content_type) or "")
    says_gzip = _says_gzip(request, media_type)
    service.check_request(caller, params, media_type, charset_of(content_type))
    key = key_of(request)
    disks = tools_of(request).disks
    await _check_length(request, caller, limits, disks, is_repeatable=key is not None)
    shape = service.shape_of(media_type)
    async with receive(pieces_of(request), limits, says_gzip=says_gzip, expected=shape, disks=disks) as file:
        query = f"{params.model_dump_json()}|{media_type}|{says_gzip}"
        print_ = fingerprint(request.method, request.url.path, query, file.sha256)
        # Hundreds of MB take a while: the feed of events doesn't wait for them.
        async with database_of_request(request).session(context_of(caller), quiet=True) as session:
            if key is not None and (stored := await claim(session, caller, _CREATE_ROUTE, key, print_)) is not None:
                return stored.response()
            created = await service.accept(session, caller, params, media_type, file, limits, disks)
            response = _accepted(request, created)
            if key is not None:
                await keep(session, caller, _CREATE_ROUTE, key, answer_of(response))
    return response


async def _check_length(
    request: Request, caller: Caller, limits: ImportLimits, disks: Disks, *, is_repeatable: bool
) -> None:
    """Refuse by its length what would be refused once it was here; a repeated request may have its answer already.

    Raises ImportTooLarge, StorageFull and StorageQuotaReached.
    """
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdigit() else 0
    if size > limits.sent_bytes:
        raise too_large(limits)
    disks.check(2 * size)
    if size > CHUNK_BYTES and not is_repeatable:
        async with database_of_request(request).session(context_of(caller)) as session:
            await service.check_quota(session, caller, limits, size)


def _says_gzip(request: Request, media_type: str) -> bool:
    """Whether the file is gzipped, by its media type or encoding. Raises FileTypeNotAccepted for other encodings."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in {"gzip", "x-gzip"}:
        if media_type == service.GZIP:
            raise FileTypeNotAccepted("Send application/gzip or Content-Encoding: gzip, not both.")
        return True
    if coding not in {"", "identity"}:
        raise FileTypeNotAccepted("Send the file plain or gzipped.", headers={"Accept-Encoding": "gzip, identity"})
    return media_type == service.GZIP


def _accepted(request: Request, created: ImportOut) -> Response:
    headers = {"Location": f"{request.url.path}/{created.id}", "ETag": created.tag}
    return Response(created.model_dump_json(), 202, headers=headers, media_type="application/json")


@router.get("/imports", operation_id="import_list", summary="List imports", responses=responses(InvalidCursor))
async def import_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[ImportListParams, Query()]
) -> ImportPage:
    """Returns your trust's imports, newest first. A platform-operator sees the national imports."""
    return reply.page(await service.list_imports(session, caller, params))


@router.get("/imports/kinds", operation_id="import_kind_list", summary="List kinds of imports", responses=TAGGED)
async def import_kind_list(reply: Reply, _caller: Reader) -> ImportKindPage:
    """Returns every kind of file that can be imported, whose figures it holds, and the scope that it needs."""
    return reply.catalogue(service.list_kinds())


@router.get(
    "/imports/kinds/{kind}/template",
    operation_id="import_template_view",
    summary="View the layout of a kind of import",
    responses=TAGGED | responses(ImportKindNotFound),
)
async def import_template_view(
    reply: Reply, _caller: Reader, kind: Annotated[str, Path(max_length=40, examples=["observations"])]
) -> ImportTemplateOut:
    """Returns the columns that are read, their other names, and an example file."""
    return reply.tagged(service.template_of(kind))


@router.get(
    "/imports/{import_id}",
    operation_id="import_view",
    summary="Follow an import",
    responses=TAGGED | responses(ImportNotFound),
)
async def import_view(reply: Reply, session: SessionDep, caller: Reader, import_id: UUID) -> ImportOut:
    """Returns the progress of an import and, when it has finished, the rows that were accepted, ignored and rejected,
    with reasons."""
    return reply.tagged(await service.view_import(session, caller, import_id))


@router.post(
    "/imports/{import_id}/cancel",
    operation_id="import_cancel",
    summary="Cancel an import",
    responses=TAGGED | responses(ImportNotFound, ImportKindNotAllowed, ImportAlreadyFinished),
)
async def import_cancel(
    reply: Reply, session: SessionDep, caller: Writer, import_id: UUID, if_match: IfMatch
) -> ImportOut:
    """Cancels an import that has not finished. None of its rows are applied."""
    return reply.tagged(await service.cancel_import(session, caller, import_id, if_match))


@sealed.post(
    "/imports/{import_id}/withdraw",
    operation_id="import_withdraw",
    summary="Take back an import",
    status_code=202,
    responses=tagged(202)
    | responses(
        ImportNotFound,
        ImportKindNotAllowed,
        ImportNotWithdrawable,
        ReasonMissing,
        RoleMayNot,
        TransitionNotAllowed,
    ),
)
async def import_withdraw(
    reply: Reply, session: SessionDep, caller: Writer, import_id: UUID, if_match: IfMatch, body: ReasonGiven
) -> ImportOut:
    """Takes back an import that has succeeded, with a reason: for each figure, what stood before it counts again.

    Figures that later imports have replaced stay. Both the figures and what replaced them stay in the history. The work
    is queued: follow the import until its `withdrawal` is `withdrawn`. Files of the register can't be taken back.
    """
    return reply.tagged(await service.withdraw_import(session, caller, import_id, if_match, body.reason))


router.include_router(sealed)
