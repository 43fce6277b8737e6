"""What is done with posts: one function per use case."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from academy.academies.service import check_own
from academy.codes import Code
from academy.parameters import today
from academy.posts import errors, queries
from academy.posts.rules import flaw_of, holders
from academy.posts.schemas import PostChanges, PostCreate, PostListParams, PostOut, PostPage, PostPatch, tag_of
from academy.posts.tables import ONCE, Post
from academy.posts.transitions import POSTS
from kit.database.sessions import Session
from kit.events.holders import held_roles
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import Listing, paginate
from kit.resources.rows import find
from kit.resources.transitions import authored

BY_TITLE = Listing("posts", Post, "title", "id")


async def list_posts(session: Session, caller: Caller, params: PostListParams) -> PostPage:
    """A page of posts by title, each with its holders. Raises InvalidCursor."""
    found = await paginate(session, caller, BY_TITLE, queries.listed(caller, params), params)
    held = await held_roles(session, {row.role for row in found.rows}, today()) if found.rows else []
    return PostPage.of(found, lambda row: PostOut.of(row, holders(row.role, row.urn, held), caller))


async def create_post(session: Session, caller: Caller, body: PostCreate) -> PostOut:
    """Keep a new post. Raises AcademyNotFound, RoleMayNot, PostNotPossible or PostExists."""
    if body.urn is not None:
        await check_own(session, caller, body.urn)
    taken = POSTS.check_create(caller, body.urn)
    if (flaw := flaw_of(body.role, body.urn)) is not None:
        raise errors.PostNotPossible.because("urn", Code.ROLE_NOT_HELD_THERE, flaw)
    made = Post(
        trust_id=caller.tenant_id,
        id=uuid7(),
        state=POSTS.initial,
        **body.model_dump(),
        **authored(caller, taken),
    )
    with _once():
        await POSTS.begin(session, taken, made)
    return PostOut.of(made, await _holders(session, made), caller)


async def view_post(session: Session, caller: Caller, post_id: UUID) -> PostOut:
    """One post with its holders. Raises PostNotFound."""
    found = await _find(session, caller, post_id)
    return PostOut.of(found, await _holders(session, found), caller)


async def change_post(session: Session, caller: Caller, post_id: UUID, patch: PostPatch, if_match: str) -> PostOut:
    """Give a post another title.

    Raises PostNotFound, RoleMayNot, PreconditionFailed, TransitionNotAllowed or PostExists.
    """
    found = await _find(session, caller, post_id, lock=True)
    held_by = await _holders(session, found)
    taken = POSTS.check("change", found, caller, if_match=if_match, tag=tag_of(found, held_by))
    with _once():
        await POSTS.change(session, taken, found, patch.changes())
    return PostOut.of(found, held_by, caller)


async def move_post(
    session: Session, caller: Caller, post_id: UUID, verb: str, if_match: str, reason: str | None
) -> PostOut:
    """Retire a post, or restore it.

    Raises PostNotFound, RoleMayNot, PreconditionFailed, TransitionNotAllowed, ReasonMissing or, for one that is to be
    there again, PostExists.
    """
    found = await _find(session, caller, post_id, lock=True)
    held_by = await _holders(session, found)
    taken = POSTS.check(verb, found, caller, if_match=if_match, tag=tag_of(found, held_by))
    with _once():
        await POSTS.apply(session, taken, found, reason=reason)
    return PostOut.of(found, held_by, caller)


async def changes_of(session: Session, caller: Caller, post_id: UUID) -> PostChanges:
    """Every change of state, oldest first. Raises PostNotFound."""
    found = await _find(session, caller, post_id)
    return PostChanges(items=await POSTS.history(session, found))


async def _find(session: Session, caller: Caller, post_id: UUID, *, lock: bool = False) -> Post:
    found = await find(session, caller, Post, post_id, lock=lock)
    if found is None:
        raise errors.PostNotFound(f"There is no post {post_id} that you may see.")
    return found


async def _holders(session: Session, post: Post) -> list[str]:
    """Who holds a post today."""
    return holders(post.role, post.urn, await held_roles(session, {post.role}, today()))


@contextmanager
def _once() -> Iterator[None]:
    """Raises PostExists when what happens inside would make the same post a second time."""
    try:
        yield
    except IntegrityError as error:
        if ONCE not in str(error.orig):
            raise
        raise errors.PostExists("There is an active post of this role and title there already.") from None
