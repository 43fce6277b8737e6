"""Moderations over HTTP."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Path, Query, Request, Response

from academy.academies.errors import AcademyNotFound
from academy.moderations import errors, service
from academy.moderations.schemas import (
    ModerationCreate,
    ModerationListParams,
    ModerationOut,
    ModerationPage,
    ModerationWithdraw,
)
from kit.identity.callers import Caller
from kit.identity.reach import ActsOn
from kit.objects.errors import StoredFileNotFound, TooManyFiles
from kit.objects.service import file_of, list_files
from kit.problems import responses
from kit.web.files import FILE_BODY, FILE_GIVEN, FILE_TAKEN, FileList, FileOut, FileParamsDep, file_answer, take_file
from kit.web.idempotency import SealedRoute
from kit.web.replies import CREATED, TAGGED, Reply
from kit.web.security import requires
from kit.web.sessions import SessionDep
from kit.web.tags import IfMatch
from sector.parameters import Urn

# A reason is what a person wrote.
router = APIRouter(tags=["moderations"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("ratings:read")]
Moderator = Annotated[Caller, requires("ratings:moderate", acts_on=ActsOn.ACADEMIES)]


@router.post(
    "/ratings/{rating_id}/moderate",
    operation_id="rating_moderate",
    summary="Override a rating",
    status_code=201,
    responses=CREATED
    | responses(errors.RatingNotFound, errors.LeadsThisAcademy, errors.RatingNotCurrent, errors.ModerationNotPossible),
)
async def rating_moderate(
    reply: Reply, session: SessionDep, caller: Moderator, rating_id: UUID, body: ModerationCreate, if_match: IfMatch
) -> ModerationOut:
    """Overrides the current rating of an academy, and later ones. `If-Match` is the ETag of the rating.

    The override is in force until the end of `lapses_on` (London), until it is withdrawn, or until another replaces
    it. The computed status stays visible beside it.
    """
    made = await service.moderate(session, caller, rating_id, body, if_match)
    reply.forget_prepared(session)
    return reply.created(made, f"moderations/{made.id}")


@router.get(
    "/moderations/{moderation_id}",
    operation_id="moderation_view",
    summary="View one override",
    responses=TAGGED | responses(errors.ModerationNotFound),
)
async def moderation_view(reply: Reply, session: SessionDep, caller: Reader, moderation_id: UUID) -> ModerationOut:
    """Returns an override with its reason, its evidence and its state."""
    return reply.tagged(await service.view_moderation(session, caller, moderation_id))


@router.post(
    "/moderations/{moderation_id}/withdraw",
    operation_id="moderation_withdraw",
    summary="Withdraw an override",
    responses=TAGGED | responses(errors.ModerationNotFound, errors.LeadsThisAcademy, errors.ModerationEnded),
)
async def moderation_withdraw(
    reply: Reply,
    session: SessionDep,
    caller: Moderator,
    moderation_id: UUID,
    if_match: IfMatch,
    body: Annotated[ModerationWithdraw | None, Body()] = None,
) -> ModerationOut:
    """Ends an override. The computed rating is in force again. A reason is optional."""
    ended = await service.withdraw(session, caller, moderation_id, if_match, reason=body.reason if body else None)
    reply.forget_prepared(session)
    return reply.tagged(ended)


@router.get(
    "/academies/{urn}/moderations",
    operation_id="academy_moderation_list",
    summary="List the overrides of an academy",
    responses=responses(AcademyNotFound),
)
async def academy_moderation_list(
    reply: Reply,
    session: SessionDep,
    caller: Reader,
    urn: Annotated[Urn, Path()],
    params: Annotated[ModerationListParams, Query()],
) -> ModerationPage:
    """Returns your trust's overrides of the academy's ratings, newest first."""
    return reply.page(await service.list_moderations(session, caller, urn, params))


@router.post(
    "/moderations/{moderation_id}/files",
    operation_id="moderation_file_create",
    summary="Add evidence to an override",
    status_code=201,
    response_model=FileOut,
    responses=FILE_TAKEN
    | responses(errors.ModerationNotFound, errors.NotItsMaker, errors.ModerationEnded, TooManyFiles),
    openapi_extra=FILE_BODY,
)
async def moderation_file_create(
    request: Request, caller: Moderator, moderation_id: UUID, params: FileParamsDep
) -> Response:
    """Send one file as the body. Only the person who made the override can add evidence to it, while it is in force."""
    find_owner = partial(service.owner_of_new_files, caller=caller, moderation_id=moderation_id)
    return await take_file(request, caller, params, find_owner)


@router.get(
    "/moderations/{moderation_id}/files",
    operation_id="moderation_file_list",
    summary="List the evidence of an override",
    responses=responses(errors.ModerationNotFound),
)
async def moderation_file_list(session: SessionDep, caller: Reader, moderation_id: UUID) -> FileList:
    """Returns the files that were added to the override, oldest first."""
    owner = await service.owner_of_files(session, caller=caller, moderation_id=moderation_id)
    return FileList.of(await list_files(session, caller, owner))


@router.get(
    "/moderations/{moderation_id}/files/{file_id}",
    operation_id="moderation_file_view",
    summary="Download a file of evidence",
    response_class=Response,
    responses=FILE_GIVEN | responses(errors.ModerationNotFound, StoredFileNotFound),
)
async def moderation_file_view(
    request: Request, session: SessionDep, caller: Reader, moderation_id: UUID, file_id: UUID
) -> Response:
    """One file, as an attachment."""
    owner = await service.owner_of_files(session, caller=caller, moderation_id=moderation_id)
    return await file_answer(request, await file_of(session, caller, owner, file_id))
