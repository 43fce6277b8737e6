"""A service that takes files of things, for the tests; as a program it sends itself files until it is killed."""

import asyncio
import io
import os
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Request, Response

from kit.database.sessions import Database, Session
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.objects import service as files
from kit.objects.errors import StoredFileNotFound
from kit.objects.media_types import DOCX
from kit.objects.service import FileOwner
from kit.problems import NotFound, responses
from kit.web.app import Service, create_service
from kit.web.files import (
    FILE_BODY,
    FILE_GIVEN,
    FILE_TAKEN,
    FileList,
    FileOut,
    FileParamsDep,
    file_answer,
    take_file,
)
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tools import tools_of
from tests.support.clients import settings_of
from tests.support.tokens import issue_token, trusted_keys

Writer = Annotated[Caller, requires("ratings:moderate", acts_on=ActsOn.ACADEMIES)]
RED, GREEN = 100001, 100002


class ThingNotFound(NotFound):
    """There is no such thing."""


async def owner_of(session: Session, *, caller: Caller, number: int) -> FileOwner:
    """Things are numbered like the academies that they belong to; other numbers don't exist."""
    if number not in {RED, GREEN} or not caller.sees_academy(number):
        raise ThingNotFound(f"There is no thing {number}.")
    return FileOwner(f"things/{number}", number)


router = APIRouter(tags=["things"])
OWN = responses(ThingNotFound)


@router.post(
    "/things/{number}/files",
    operation_id="thing_file_create",
    status_code=201,
    response_model=FileOut,
    responses={**FILE_TAKEN, **OWN},
    openapi_extra=FILE_BODY,
)
async def thing_file_create(request: Request, caller: Writer, number: int, params: FileParamsDep) -> Response:
    """Add a file."""
    return await take_file(request, caller, params, partial(owner_of, caller=caller, number=number))


@router.get("/things/{number}/files", operation_id="thing_file_list", responses=OWN)
async def thing_file_list(session: SessionDep, caller: Writer, number: int) -> FileList:
    """List files."""
    owner = await owner_of(session, caller=caller, number=number)
    return FileList.of(await files.list_files(session, caller, owner))


@router.get(
    "/things/{number}/files/{file_id}",
    operation_id="thing_file_view",
    response_class=Response,
    responses={**FILE_GIVEN, **responses(ThingNotFound, StoredFileNotFound)},
)
async def thing_file_view(
    request: Request, session: SessionDep, caller: Writer, number: int, file_id: UUID
) -> Response:
    """Download one."""
    owner = await owner_of(session, caller=caller, number=number)
    return await file_answer(request, await files.file_of(session, caller, owner, file_id))


def filing_service(database: Database, store_url: str) -> Service:
    """The service, on this database and this store."""
    app = create_service(
        settings_of("academy", database.url).model_copy(update={"object_store_url": store_url}),
        title="Filing",
        description="Takes files.",
        routers=[router],
        keys=trusted_keys(),
    )
    tools_of(app).database = database
    return app


def client_of(app: Service, **claims: Any) -> httpx.AsyncClient:
    """A client that may add files."""
    token = issue_token(None, scopes=["ratings:moderate"], **claims)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://test",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
    )


def office(main: str = f"{DOCX}.main+xml", *parts: str, more: str = "") -> bytes:
    """A file like those that Word writes, in short."""
    content = io.BytesIO()
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/>{more}</Types>'
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        for part in ("word/document.xml", *parts):
            archive.writestr(part, "<document/>")
    return content.getvalue()


async def _send_for_ever(database_url: str, folder: str) -> None:
    database = Database(database_url, application_name="academy", schema="academy")
    app = filing_service(database, Path(folder).as_uri())

    async def send(client: httpx.AsyncClient, name: str) -> None:
        while True:
            content = f"{name}\n".encode() + os.urandom(2 << 20).hex().encode()
            answer = await client.post(f"/academy/v1/things/{RED}/files", params={"name": name}, content=content)
            # The owner takes 20 files; more would only be refused.
            if answer.status_code == 409:
                await asyncio.sleep(60)
            sys.stdout.write(f"{answer.status_code}\n")
            sys.stdout.flush()

    async with client_of(app) as client:
        await asyncio.gather(*(send(client, f"{number}.csv") for number in range(3)))


if __name__ == "__main__":
    asyncio.run(_send_for_ever(sys.argv[1], sys.argv[2]))
