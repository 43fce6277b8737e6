"""The catalogue of measures over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from academy.answers import TAGGED, list_answer, tagged_answer
from academy.measures import service
from academy.measures.errors import MeasureNotFound
from academy.measures.schemas import MeasureListParams, MeasureOut, MeasurePage
from academy.parameters import Code
from kit.identity.callers import Caller
from kit.problems import InvalidCursor, responses
from kit.web.security import requires

router = APIRouter(tags=["measures"])

Reader = Annotated[Caller, requires("measures:read")]


@router.get(
    "/measures",
    operation_id="measure_list",
    summary="List measures",
    response_model=MeasurePage,
    responses=responses(InvalidCursor),
)
async def measure_list(request: Request, caller: Reader, params: Annotated[MeasureListParams, Query()]) -> Response:
    """The catalogue: what each figure means, its unit, which way is better, and when it isn't published."""
    items, next_cursor = service.list_measures(caller, params)
    return list_answer(request, items, next_cursor)


@router.get(
    "/measures/{measure}",
    operation_id="measure_view",
    summary="View one measure",
    response_model=MeasureOut,
    responses=TAGGED | responses(MeasureNotFound),
)
async def measure_view(request: Request, _caller: Reader, measure: Annotated[Code, Path()]) -> Response:
    """Returns a measure by its dotted code."""
    return tagged_answer(request, service.view_measure(measure))
