"""Figures over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from academy.answers import list_answer
from academy.observations import service
from academy.observations.errors import InstantInFuture
from academy.observations.schemas import ObservationListParams, ObservationPage
from academy.trusts.errors import TrustUnknown
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["observations"])


@router.get(
    "/observations",
    operation_id="observation_list",
    summary="List figures",
    response_model=ObservationPage,
    responses=responses(InvalidCursor, TrustUnknown, InstantInFuture),
)
async def observation_list(
    request: Request,
    session: SessionDep,
    caller: Annotated[Caller, requires("observations:read")],
    params: Annotated[ObservationListParams, Query()],
) -> Response:
    """Returns the current figures, each with those of England and of the local authority. National figures come
    before the trust's own."""
    items, next_cursor, synced = await service.list_observations(session, caller, params)
    return list_answer(request, items, next_cursor, synced_to=synced)
