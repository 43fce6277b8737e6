"""The catalogue of measures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from academy.measures import service
from academy.measures.errors import MeasureNotFound
from academy.measures.schemas import MeasureListParams, MeasureOut, MeasurePage
from academy.parameters import Code
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.replies import TAGGED, Reply
from kit.web.security import requires

router = APIRouter(tags=["measures"])

Reader = Annotated[Caller, requires("measures:read")]


@router.get(
    "/measures",
    operation_id="measure_list",
    summary="List measures",
    responses=TAGGED,
)
async def measure_list(reply: Reply, caller: Reader, params: Annotated[MeasureListParams, Query()]) -> MeasurePage:
    """The catalogue: what each figure means, its unit, which way is better, and when it isn't published."""
    return reply.catalogue(service.list_measures(caller, params))


@router.get(
    "/measures/{measure}",
    operation_id="measure_view",
    summary="View one measure",
    responses=TAGGED | responses(MeasureNotFound),
)
async def measure_view(
    reply: Reply, _caller: Reader, measure: Annotated[Code, Path(examples=["ks4.attainment_8"])]
) -> MeasureOut:
    """Returns a measure by its dotted code."""
    return reply.tagged(service.view_measure(measure))
