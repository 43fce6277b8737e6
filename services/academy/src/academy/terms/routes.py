"""Terms over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from academy.academies.errors import AcademyNotFound
from academy.terms import errors, service
from academy.terms.schemas import (
    TermChanges,
    TermCreate,
    TermListParams,
    TermOut,
    TermPage,
    TermPatch,
)
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.problems import responses
from kit.resources.fields import ReasonGiven
from kit.resources.transitions import ReasonMissing, RoleMayNot, TransitionNotAllowed
from kit.web.idempotency import SealedRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch

# A reason is what a person wrote.
router = APIRouter(tags=["terms"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("terms:read")]
Writer = Annotated[Caller, requires("terms:write", acts_on=ActsOn.ACADEMY_OR_TRUST)]
MOVES = (errors.TermNotFound, RoleMayNot, TransitionNotAllowed)


@router.get("/terms", operation_id="term_list", summary="List terms", responses=responses(AcademyNotFound))
async def term_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[TermListParams, Query()]
) -> TermPage:
    """Returns the terms that you may see, in the order of their days.

    `?urn=136105&on=2026-10-12` returns the term that a day lies in at an academy.
    """
    return reply.page(await service.list_terms(session, caller, params))


@router.post(
    "/terms",
    operation_id="term_create",
    summary="Set the dates of a term",
    status_code=201,
    responses=CREATED | responses(AcademyNotFound, RoleMayNot, errors.TermNotPossible, errors.TermsClash),
)
async def term_create(reply: Reply, session: SessionDep, caller: Writer, body: TermCreate) -> TermOut:
    """Set the dates of a term: of the trust, or of one academy where they differ."""
    made = await service.create_term(session, caller, body)
    return reply.created(made, f"terms/{made.id}")


@router.get(
    "/terms/{term_id}",
    operation_id="term_view",
    summary="View one term",
    responses=TAGGED | responses(errors.TermNotFound),
)
async def term_view(reply: Reply, session: SessionDep, caller: Reader, term_id: UUID) -> TermOut:
    """One term, and what you may do with it now."""
    return reply.tagged(await service.view_term(session, caller, term_id))


@router.patch(
    "/terms/{term_id}",
    operation_id="term_change",
    summary="Change the dates of a term",
    responses=TAGGED | responses(*MOVES, errors.TermNotPossible, errors.TermsClash),
)
async def term_change(
    reply: Reply, session: SessionDep, caller: Writer, term_id: UUID, body: TermPatch, if_match: IfMatch
) -> TermOut:
    """Change dates by a merge patch: what you leave out stays, what you set to null goes."""
    return reply.tagged(await service.change_term(session, caller, term_id, body, if_match))


@router.post(
    "/terms/{term_id}/retire",
    operation_id="term_retire",
    summary="Retire a term",
    responses=TAGGED | responses(*MOVES),
)
async def term_retire(
    reply: Reply,
    session: SessionDep,
    caller: Writer,
    term_id: UUID,
    if_match: IfMatch,
    body: ReasonGiven | None = None,
) -> TermOut:
    """Retire a term, with or without a reason: its dates count no longer. Nothing is deleted."""
    reason = body.reason if body else None
    return reply.tagged(await service.move_term(session, caller, term_id, "retire", if_match, reason))


@router.post(
    "/terms/{term_id}/restore",
    operation_id="term_restore",
    summary="Let a retired term count again",
    responses=TAGGED | responses(*MOVES, ReasonMissing, errors.TermNotPossible, errors.TermsClash),
)
async def term_restore(
    reply: Reply, session: SessionDep, caller: Writer, term_id: UUID, if_match: IfMatch, body: ReasonGiven
) -> TermOut:
    """Let a retired term count again, with a reason."""
    return reply.tagged(await service.move_term(session, caller, term_id, "restore", if_match, body.reason))


@router.get(
    "/terms/{term_id}/changes",
    operation_id="term_change_list",
    summary="List the changes of a term",
    responses=responses(errors.TermNotFound),
)
async def term_change_list(session: SessionDep, caller: Reader, term_id: UUID) -> TermChanges:
    """Every change of its state and of its dates with who, when, in which role and why, oldest first."""
    return await service.changes_of(session, caller, term_id)
