"""Series for charts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from academy.academies.errors import AcademyNotFound
from academy.comparisons import service
from academy.comparisons.errors import AreaUnknown
from academy.comparisons.schemas import ComparisonListParams, ComparisonSeriesPage
from kit.identity.callers import Caller
from kit.problems import responses
from kit.web.replies import Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["comparisons"])


@router.get(
    "/comparisons",
    operation_id="comparison_list",
    summary="List series for a chart",
    responses=responses(AcademyNotFound, AreaUnknown),
)
async def comparison_list(
    reply: Reply,
    session: SessionDep,
    caller: Annotated[Caller, requires("observations:read")],
    params: Annotated[ComparisonListParams, Query()],
) -> ComparisonSeriesPage:
    """Returns one measure by academic year, as lines of a chart.

    England, the region, the authority, an academy with its percentile among the schools of its phase, and with
    `others=true` the other academies of its trust.
    """
    return reply.page(await service.list_series(session, caller, params))
