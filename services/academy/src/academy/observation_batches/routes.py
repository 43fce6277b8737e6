"""Batches of figures over HTTP."""

from typing import Annotated

from fastapi import APIRouter

from academy.imports.errors import ImportInProgress
from academy.observation_batches import service
from academy.observation_batches.errors import ObservationsRejected
from academy.observation_batches.schemas import ObservationBatchCreate, ObservationBatchOut
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import responses
from kit.web.idempotency import IdempotentRoute
from kit.web.replies import CREATED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep

router = APIRouter(tags=["observations"], route_class=IdempotentRoute)

Writer = Annotated[Caller, requires("imports:write", "observations:write", acts_on=ActsOn.ACADEMIES)]


@router.post(
    "/observations",
    operation_id="observation_create",
    summary="Send figures",
    status_code=201,
    responses=CREATED | responses(ObservationsRejected, ImportInProgress),
)
async def observation_create(
    reply: Reply, session: SessionDep, caller: Writer, body: ObservationBatchCreate
) -> ObservationBatchOut:
    """Stores up to 1,000 figures of your trust's own at once. The answer says what became of each.

    All are stored, or none if one is wrong. It is an import of the kind `observations` that has been applied already:
    `Location` shows it, and it can be taken back. Send more than 1,000 figures as a file. While a file that was sent
    before is still being applied, the response is 503 `import-in-progress`.
    """
    made = await service.take(session, caller, body)
    return reply.created(made, f"imports/{made.import_id}")
