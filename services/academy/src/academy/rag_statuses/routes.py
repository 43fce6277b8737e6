"""RAG statuses over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response

from academy.rag_statuses import service
from academy.rag_statuses.errors import AsOfInFuture, AsOfWithSortByChange, AsOfWithUpdatedSince
from academy.rag_statuses.schemas import RagStatusListParams, RagStatusPage
from kit.database.sessions import Context
from kit.etags import etag
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.web.links import page_links
from kit.web.replies import TAGGED
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import not_modified
from kit.web.tools import tools_of

router = APIRouter(tags=["rag-statuses"])

PATH = "/rag-statuses"
Reader = Annotated[Caller, requires("rag-statuses:read")]


@router.get(
    PATH,
    operation_id="rag_status_list",
    summary="List RAG statuses",
    response_model=RagStatusPage,
    responses=TAGGED | responses(AsOfInFuture, AsOfWithSortByChange, AsOfWithUpdatedSince, InvalidCursor),
)
async def rag_status_list(
    request: Request, session: SessionDep, caller: Reader, params: Annotated[RagStatusListParams, Query()]
) -> Response:
    """Returns the status of every academy of your trust that you may see, by name unless `sort` says otherwise.

    Poll it with `If-None-Match`. Responses are prepared, and up to date within a second of a change. `include=criteria`
    adds every reason in the same call.
    """
    body, tag, following = await service.list_statuses(session, caller, params)
    headers = {"ETag": etag(tag)}
    response = not_modified(request, headers) or Response(body, media_type="application/json", headers=headers)
    page_links(response, request, following)
    return response


def install(app: FastAPI) -> None:
    """Keep finished answers of the list in this app, held against the version of what they say."""

    async def version(context: Context) -> str:
        return await service.version(tools_of(app).database, context)

    tools_of(app).prepared.route(f"/academy/v1{PATH}", version=version)
