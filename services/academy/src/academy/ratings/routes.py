"""Ratings over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from academy.answers import TAGGED, list_answer
from academy.moderations.service import rating_tag
from academy.ratings import service
from academy.ratings.errors import AcademyNotFound, AsOfInFuture, RatingNotFound
from academy.ratings.schemas import RatingDetailOut, RatingListParams, RatingPage
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import not_modified
from sector.parameters import Urn

router = APIRouter(tags=["ratings"])

Reader = Annotated[Caller, requires("ratings:read")]


@router.get(
    "/ratings/{rating_id}",
    operation_id="rating_view",
    summary="View one rating",
    response_model=RatingDetailOut,
    responses=TAGGED | responses(RatingNotFound),
)
async def rating_view(request: Request, session: SessionDep, caller: Reader, rating_id: UUID) -> Response:
    """Returns a rating with every criterion explained, and the override that is in force, if any."""
    found = await service.view_rating(session, caller, rating_id)
    moderation = found["moderation"]
    tag = rating_tag(rating_id, moderation["id"] if moderation else None, is_current=found["is_current"])
    if (unchanged := not_modified(request, tag)) is not None:
        return unchanged
    content = orjson.dumps(found, option=orjson.OPT_UTC_Z)
    return Response(content, media_type="application/json", headers={"ETag": tag})


@router.get(
    "/academies/{urn}/ratings",
    operation_id="academy_rating_list",
    summary="List the ratings of an academy",
    response_model=RatingPage,
    responses=responses(AcademyNotFound, AsOfInFuture, InvalidCursor),
)
async def academy_rating_list(
    request: Request,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[RatingListParams, Query()],
) -> Response:
    """Returns your trust's ratings of the academy with their reasons, newest first."""
    items, following = await service.list_ratings(session, caller, urn, params)
    return list_answer(request, items, following)
