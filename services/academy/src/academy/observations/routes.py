"""Figures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from academy.observations import service
from academy.observations.errors import InstantInFuture
from academy.observations.schemas import ObservationListParams, ObservationPage
from academy.trusts.errors import TrustUnknown
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.kept import KEPT
from kit.web.links import page_links
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["observations"])


@router.get(
    "/observations",
    operation_id="observation_list",
    summary="List figures",
    response_model=ObservationPage,
    responses=responses(TrustUnknown, InstantInFuture),
    openapi_extra=KEPT,
)
async def observation_list(
    request: Request,
    session: SessionDep,
    caller: Annotated[Caller, requires("observations:read")],
    params: Annotated[ObservationListParams, Query()],
) -> Response:
    """Returns the current figures, each with those of England and of the local authority. National figures come
    before the trust's own."""
    content, following = await service.list_observations(session, caller, params)
    response = Response(content, media_type="application/json")
    page_links(response, request, following)
    return response
