"""Posts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from academy.academies.errors import AcademyNotFound
from academy.posts import errors, service
from academy.posts.schemas import (
    PostChanges,
    PostCreate,
    PostListParams,
    PostOut,
    PostPage,
    PostPatch,
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
router = APIRouter(tags=["posts"], route_class=SealedRoute)

Reader = Annotated[Caller, requires("posts:read")]
Writer = Annotated[Caller, requires("posts:write", acts_on=ActsOn.ACADEMY_OR_TRUST)]
MOVES = (errors.PostNotFound, RoleMayNot, TransitionNotAllowed)


@router.get("/posts", operation_id="post_list", summary="List posts")
async def post_list(
    reply: Reply, session: SessionDep, caller: Reader, params: Annotated[PostListParams, Query()]
) -> PostPage:
    """Returns the posts that you may see, by title, each with those who hold it today."""
    return reply.page(await service.list_posts(session, caller, params))


@router.post(
    "/posts",
    operation_id="post_create",
    summary="Create a post",
    status_code=201,
    responses=CREATED | responses(AcademyNotFound, RoleMayNot, errors.PostNotPossible, errors.PostExists),
)
async def post_create(reply: Reply, session: SessionDep, caller: Writer, body: PostCreate) -> PostOut:
    """Create a post: of the trust, or of an academy."""
    made = await service.create_post(session, caller, body)
    return reply.created(made, f"posts/{made.id}")


@router.get(
    "/posts/{post_id}",
    operation_id="post_view",
    summary="View one post",
    responses=TAGGED | responses(errors.PostNotFound),
)
async def post_view(reply: Reply, session: SessionDep, caller: Reader, post_id: UUID) -> PostOut:
    """Returns one post with those who hold it today, by identity's grants of its role."""
    return reply.tagged(await service.view_post(session, caller, post_id))


@router.patch(
    "/posts/{post_id}",
    operation_id="post_change",
    summary="Change a post",
    responses=TAGGED | responses(*MOVES, errors.PostExists),
)
async def post_change(
    reply: Reply, session: SessionDep, caller: Writer, post_id: UUID, body: PostPatch, if_match: IfMatch
) -> PostOut:
    """Give a post another title, by a merge patch."""
    return reply.tagged(await service.change_post(session, caller, post_id, body, if_match))


@router.post(
    "/posts/{post_id}/retire",
    operation_id="post_retire",
    summary="Retire a post",
    responses=TAGGED | responses(*MOVES),
)
async def post_retire(
    reply: Reply,
    session: SessionDep,
    caller: Writer,
    post_id: UUID,
    if_match: IfMatch,
    body: ReasonGiven | None = None,
) -> PostOut:
    """Retire a post, with or without a reason: nothing new names it. Nothing is deleted."""
    reason = body.reason if body else None
    return reply.tagged(await service.move_post(session, caller, post_id, "retire", if_match, reason))


@router.post(
    "/posts/{post_id}/restore",
    operation_id="post_restore",
    summary="Restore a retired post",
    responses=TAGGED | responses(*MOVES, ReasonMissing, errors.PostExists),
)
async def post_restore(
    reply: Reply, session: SessionDep, caller: Writer, post_id: UUID, if_match: IfMatch, body: ReasonGiven
) -> PostOut:
    """Restore a retired post, with a reason."""
    return reply.tagged(await service.move_post(session, caller, post_id, "restore", if_match, body.reason))


@router.get(
    "/posts/{post_id}/changes",
    operation_id="post_change_list",
    summary="List the changes of a post",
    responses=responses(errors.PostNotFound),
)
async def post_change_list(session: SessionDep, caller: Reader, post_id: UUID) -> PostChanges:
    """Every change of state with who, when, in which role and why, oldest first."""
    return await service.changes_of(session, caller, post_id)
