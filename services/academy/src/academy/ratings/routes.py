"""Ratings over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from academy.ratings import service
from academy.ratings.errors import AcademyNotFound, AsOfInFuture, RatingNotFound
from academy.ratings.schemas import RatingDetailOut, RatingListParams, RatingPage
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.kept import KEPT
from kit.web.replies import TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from sector.parameters import Urn

router = APIRouter(tags=["ratings"])

Reader = Annotated[Caller, requires("ratings:read")]


@router.get(
    "/ratings/{rating_id}",
    operation_id="rating_view",
    summary="View one rating",
    responses=TAGGED | responses(RatingNotFound),
    openapi_extra=KEPT,
)
async def rating_view(reply: Reply, session: SessionDep, caller: Reader, rating_id: UUID) -> RatingDetailOut:
    """Returns a rating with every criterion explained, and the override that is in force, if any."""
    return reply.tagged(await service.view_rating(session, caller, rating_id))


@router.get(
    "/academies/{urn}/ratings",
    operation_id="academy_rating_list",
    summary="List the ratings of an academy",
    responses=responses(AcademyNotFound, AsOfInFuture),
    openapi_extra=KEPT,
)
async def academy_rating_list(
    reply: Reply,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[RatingListParams, Query()],
) -> RatingPage:
    """Returns your trust's ratings of the academy with their reasons, newest first."""
    return reply.page(await service.list_ratings(session, caller, urn, params))
