"""Figures over HTTP."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Request, Response

from academy.observations import service
from academy.observations.errors import InstantInFuture
from academy.observations.schemas import ObservationListParams, ObservationPage
from academy.trusts.errors import TrustUnknown
from kit.identity.callers import Caller
from kit.problems import responses
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
)
async def observation_list(
    request: Request,
    session: SessionDep,
    caller: Annotated[Caller, requires("observations:read")],
    params: Annotated[ObservationListParams, Query()],
) -> Response:
    """Returns the current figures, each with those of England and of the local authority. National figures come
    before the trust's own."""
    items, following, synced = await service.list_observations(session, caller, params)
    response = _written(items, following, synced)
    page_links(response, request, following)
    return response


def _written(items: list[dict[str, Any]], following: str | None, synced: datetime) -> Response:
    """Rows as they are, without a model for each: pages of figures are a hot path (ADR 0070)."""
    body = {"items": items, "next": following, "synced_to": synced}
    return Response(orjson.dumps(body, default=_plain, option=orjson.OPT_UTC_Z), media_type="application/json")


def _plain(value: object) -> object:
    """The database driver's own UUIDs in JSON."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no form in JSON")
