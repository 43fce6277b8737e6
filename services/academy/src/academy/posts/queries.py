"""All SQL about posts."""

from sqlalchemy import Select
from sqlmodel import col

from academy.posts.schemas import PostListParams
from academy.posts.tables import Post
from kit.identity.callers import Caller
from kit.resources.rows import visible


def listed(caller: Caller, params: PostListParams) -> Select[Post]:
    """The posts that the caller may see, as the parameters narrow them."""
    statement = visible(Post, caller)
    if params.urn:
        statement = statement.where(col(Post.urn).in_(params.urn))
    if params.role:
        statement = statement.where(col(Post.role).in_(params.role))
    if params.state:
        statement = statement.where(col(Post.state).in_(params.state))
    return statement
