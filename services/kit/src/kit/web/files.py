"""Files over HTTP: a route takes one with `take_file`, and gives one back with `file_answer`.

@router.post("/visits/{visit_id}/files", status_code=201, response_model=FileOut, responses=FILE_TAKEN,
             openapi_extra=FILE_BODY)
async def visit_file_create(request: Request, caller: Writer, visit_id: UUID, params: FileParamsDep) -> Response:
    return await take_file(request, caller, params, partial(service.owner_of_files, caller=caller, id=visit_id))
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import datetime
from typing import Annotated, Any
from unicodedata import category
from urllib.parse import quote
from uuid import UUID

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.types import Send

from kit.database.contexts import Context
from kit.database.sessions import Database, Session, context_of
from kit.disks import StorageQuotaReached
from kit.etags import etag
from kit.identity.callers import Caller
from kit.objects import service
from kit.objects.errors import (
    FileTooLarge,
    FileTypeNotAccepted,
    ObjectStoreFull,
    ObjectStoreUnavailable,
    StoredFileNotFound,
    TooManyFiles,
)
from kit.objects.folder import BackupRunning
from kit.objects.keys import ObjectKey
from kit.objects.media_types import ENDINGS, type_of_name
from kit.objects.receiving import LARGEST_BYTES, ReceivedFile, check_disks, receive, too_large
from kit.objects.service import FileOwner
from kit.objects.stores import ObjectStore
from kit.objects.sweeping import remove_unnamed
from kit.objects.tables import StoredFile
from kit.problems import responses
from kit.web.bodies import charset_of, media_type_of, streamed_body
from kit.web.idempotency import (
    HEADER,
    LONGEST_KEY,
    Claim,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    answer_once,
    fingerprint,
    key_of,
)
from kit.web.sessions import database_of_request
from kit.web.streams import pieces_of
from kit.web.tags import not_modified, tagged
from kit.web.tools import tools_of

# Finds what the file belongs to, under the caller's rights; raises what the route lists.
FindOwner = Callable[[Session], Awaitable[FileOwner]]

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_NAME = r"""^[^\x00-\x1f\x7f/\\:*?"<>|]*[^\x00-\x1f\x7f/\\:*?"<>|\s.][^\x00-\x1f\x7f/\\:*?"<>|]*$"""
ANY_BYTES = "application/octet-stream"
"""Declared before the types of files: the only one as which openapi-python-client sends and gives bytes. Other
generators send the first type, whatever the file is."""

FILE_BODY: dict[str, Any] = {
    "x-idempotent": False,
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "A key that you choose (a UUID). The same key and file within 24 hours are stored once.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
        }
    ],
    **streamed_body(
        dict.fromkeys((ANY_BYTES, *ENDINGS), _BINARY),
        description="The file itself, not a form. At most 50 MiB. Text is UTF-8; Office files have no macros. "
        f"Of a file that is sent as `{ANY_BYTES}`, the ending of `name` and the content say the type.",
    ),
}
"""The `openapi_extra` of a route that takes a file."""

FILE_TAKEN = {
    201: {
        "headers": {
            "Location": {"description": "Where it can be downloaded.", "schema": {"type": "string"}},
        }
    },
    **responses(
        FileTooLarge,
        FileTypeNotAccepted,
        ObjectStoreFull,
        ObjectStoreUnavailable,
        StorageQuotaReached,
        TooManyFiles,
        IdempotencyKeyInvalid,
        IdempotencyKeyReused,
    ),
}
"""The `responses` of such a route, beside its own problems."""

FILE_GIVEN = {
    200: {
        **tagged()[200],
        "description": f"The file, as an attachment. It comes with a type of its own; `{ANY_BYTES}` is for generators.",
        "content": dict.fromkeys((ANY_BYTES, *ENDINGS), _BINARY),
    },
    **responses(StoredFileNotFound, ObjectStoreUnavailable),
}
"""The `responses` of a route that gives a file back, beside its own problems."""


class FileParams(BaseModel):
    """What a file is called."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            description="The file's name. If it has no extension, the one of its type is added.",
            examples=["minutes-of-7-october.pdf"],
            # For those who read the contract; what is refused is refused below, with its own sentence.
            json_schema_extra={"pattern": _NAME},
        ),
    ]

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        name = name.strip()
        if not name.strip("."):
            raise ValueError("a file needs a name")
        # Control, format and private characters: line breaks, and marks that turn the direction of writing.
        if any(category(letter).startswith(("C", "Zl", "Zp")) or letter in '/\\:*?"<>|' for letter in name):
            raise ValueError("a file's name has no control characters and none of / \\ : * ? \" < > |")
        return name


FileParamsDep = Annotated[FileParams, Query()]


class FileOut(BaseModel):
    """A file, without its content."""

    id: UUID = Field(description="The file.")
    name: str = Field(description="Its name.", examples=["minutes-of-7-october.pdf"])
    media_type: str = Field(description="Its type.", examples=["application/pdf"])
    size_bytes: int = Field(description="Its size in bytes.", examples=[48213])
    sha256: str = Field(description="The SHA-256 of its content, in hexadecimal.")
    created_at: datetime = Field(description="When it was sent.")
    created_by: str = Field(description="Who sent it.")

    @classmethod
    def of(cls, file: StoredFile) -> "FileOut":
        """A row as it is read."""
        return cls.model_validate(file, from_attributes=True)


class FileList(BaseModel):
    """The files of one thing, oldest first."""

    items: list[FileOut] = Field(description="All of them; there are never more than a few.")

    @classmethod
    def of(cls, files: Sequence[StoredFile]) -> "FileList":
        """Rows as they are read."""
        return cls(items=[FileOut.of(file) for file in files])


async def take_file(request: Request, caller: Caller, params: FileParams, find_owner: FindOwner) -> Response:
    """Keep the file in the body of a request; the 201 that says so.

    `find_owner` is called before the body is read, and again in the transaction that keeps the row.
    """
    said = _said_type(request, params.name)
    key = key_of(request)
    length = _length(request)
    if length is not None and length > LARGEST_BYTES:
        raise too_large()
    disks = tools_of(request).disks
    check_disks(disks, LARGEST_BYTES if length is None else length)
    database = database_of_request(request)
    limit_bytes = tools_of(request).settings.limit_file_kept_bytes
    async with database.session(context_of(caller)) as session:
        owner = await find_owner(session)
        # A repeated request may have its answer already.
        if key is None:
            await service.check_room(session, caller, owner, length or 0, limit_bytes=limit_bytes)
    store = tools_of(request).objects
    received = await receive(
        pieces_of(request),
        store,
        service=database.schema,
        trust_id=caller.tenant_id,
        media_type=said,
        disks=disks,
        length=length,
    )
    async with _removed_if_refused(database, store, caller, received):
        return await _add(request, caller, params, key, find_owner, received)


def _length(request: Request) -> int | None:
    """How many bytes its sender has announced; None when it is sent in chunks."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdigit() else None


@asynccontextmanager
async def _removed_if_refused(
    database: Database, store: ObjectStore, caller: Caller, received: ReceivedFile
) -> AsyncIterator[None]:
    """An object that no row names in the end takes no space until the next sweep."""
    is_kept = False
    try:
        yield
        is_kept = True
    finally:
        if not is_kept:
            context = Context(caller.tenant_id, None, caller.subject)
            with suppress(BackupRunning):
                await remove_unnamed(store, database, context, received.key)


async def _add(
    request: Request,
    caller: Caller,
    params: FileParams,
    key: str | None,
    find_owner: FindOwner,
    received: ReceivedFile,
) -> Response:
    """Name what the store has, in one transaction."""
    tools = tools_of(request)
    media_type = received.media_type
    print_ = fingerprint("POST", request.url.path, f"{params.name}|{media_type}", received.key.sha256)
    async with database_of_request(request).session(context_of(caller)) as session:

        async def answer() -> Response:
            owner = await find_owner(session)
            limit_bytes = tools.settings.limit_file_kept_bytes
            file = await service.add_file(
                session, caller, tools.objects, owner, received, params.name, limit_bytes=limit_bytes
            )
            headers = {"Location": f"{request.url.path}/{file.id}"}
            return Response(FileOut.of(file).model_dump_json(), 201, headers, "application/json")

        if key is None:
            return await answer()
        # A file's name is what a person wrote.
        return await answer_once(
            request, session, Claim(caller, f"POST {request.url.path}", key, print_), answer, seals=True
        )


def _said_type(request: Request, name: str) -> str | None:
    """The type that the file was said to be; the edge has held it against the list.

    None when it was sent as any bytes, under a name without the ending of a type.
    """
    content_type = request.headers.get("content-type", "")
    if request.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        raise FileTypeNotAccepted("Send the file uncompressed.", headers={"Accept-Encoding": "identity"})
    media_type = media_type_of(content_type) or ""
    if media_type == ANY_BYTES:
        return type_of_name(name)
    # Some clients say `application/pdf; charset=binary`: it means nothing there.
    if media_type.startswith("text/") and charset_of(content_type) not in {None, "utf-8", "utf8", "us-ascii"}:
        raise FileTypeNotAccepted("Save the text as UTF-8 and send it again.")
    return media_type


async def file_answer(request: Request, file: StoredFile) -> Response:
    """The content of a file, to be saved and never shown in place. Raises ObjectStoreUnavailable."""
    headers = {
        "ETag": etag(file.sha256),
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": disposition(file.name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    if (unchanged := not_modified(request, headers)) is not None:
        return unchanged
    key = ObjectKey(database_of_request(request).schema, file.trust_id, file.sha256)
    content = await tools_of(request).objects.read(key, file.size_bytes)
    return _FileResponse(content, headers=headers, media_type=_with_charset(file.media_type))


class _FileResponse(StreamingResponse):
    """A stream whose source is closed at once when its reader goes away or wants the headers alone."""

    def __init__(self, content: AsyncGenerator[bytes, None], **options: Any) -> None:
        super().__init__(content, **options)
        self._content = content

    async def stream_response(self, send: Send) -> None:
        """Send the headers and every piece."""
        async with aclosing(self._content):
            await super().stream_response(send)


def _with_charset(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def disposition(name: str) -> str:
    """`Content-Disposition` for a file to save (RFC 6266): a plain name for old programs, and the name as it is."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in " ._-()") else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
