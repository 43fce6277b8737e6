"""Erasures over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from academy.erasures import errors, service
from academy.erasures.schemas import (
    ObservationErasureCreate,
    ObservationErasureListParams,
    ObservationErasureOut,
    ObservationErasurePage,
)
from academy.imports.errors import ImportInProgress
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import responses
from kit.resources.transitions import RoleMayNot
from kit.web.idempotency import SealedRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep

# A reason is what a person wrote.
router = APIRouter(tags=["observation-erasures"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("observations:read")]
Writer = Annotated[Caller, requires("observations:write", acts_on=ActsOn.WHOLE_TRUST)]


@router.get("/observation-erasures", operation_id="observation_erasure_list", summary="List erasures of figures")
async def observation_erasure_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[ObservationErasureListParams, Query()]
) -> ObservationErasurePage:
    """Returns which of your trust's own figures were erased, by whom, when and why, newest first."""
    return reply.page(await service.list_erasures(session, caller, params))


@router.post(
    "/observation-erasures",
    operation_id="observation_erasure_create",
    summary="Erase a figure",
    status_code=201,
    responses=CREATED | responses(errors.ObservationNotFound, errors.NothingToErase, ImportInProgress, RoleMayNot),
)
async def observation_erasure_create(
    reply: Reply, session: SessionDep, caller: Writer, body: ObservationErasureCreate
) -> ObservationErasureOut:
    """Erases the value of a figure of your trust's own, because it says too much about few pupils.

    It goes from every version of the figure that has it, also for `history` and `as_of`, from ratings that rest on it
    and their events, and all stored files of your trust's ended imports are deleted. Who did it, when and why stays. It
    can't be undone. Correct the source first: an import leaves a value out that would take its place, with a warning,
    unless its sender confirms it.
    """
    made = await service.erase(session, caller, body)
    reply.forget_prepared(session)
    return reply.created(made, f"observation-erasures/{made.id}")


@router.get(
    "/observation-erasures/{erasure_id}",
    operation_id="observation_erasure_view",
    summary="View one erasure of a figure",
    responses=TAGGED | responses(errors.ErasureNotFound),
)
async def observation_erasure_view(
    reply: Reply, session: SessionDep, caller: Reader, erasure_id: UUID
) -> ObservationErasureOut:
    """Returns one erasure."""
    return reply.tagged(await service.view_erasure(session, caller, erasure_id))
