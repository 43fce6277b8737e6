"""Posts as clients write and read them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.posts.rules import PostRole
from academy.posts.tables import Post
from academy.posts.transitions import POSTS
from kit.etags import etag
from kit.identity.callers import Caller
from kit.resources.changes import ChangeOut
from kit.resources.fields import Title
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch
from kit.resources.transitions import ActionOut
from sector.parameters import Urn


class PostState(StrEnum):
    """Is the post there?"""

    ACTIVE = "active"
    RETIRED = "retired"


class PostCreate(BaseModel):
    """A new post."""

    model_config = ConfigDict(extra="forbid")

    urn: Urn | None = Field(default=None, description="Its academy; null for a post of the trust.", examples=[136105])
    role: PostRole = Field(description="The role that it stands for: its holders have it.", examples=["headteacher"])
    title: Title = Field(description="Its title. Name no person.", examples=["Headteacher"])


class PostPatch(MergePatch):
    """What to change: a merge patch. For another role or academy, retire the post and create another."""

    title: Title = Field(default="", description="Its title. Name no person.", examples=["Headteacher"])


class PostOut(Tagged):
    """One post, and who holds it today."""

    id: UUID = Field(description="Id of the post.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn | None = Field(description="Its academy; null for a post of the trust.", examples=[136105])
    state: PostState = Field(description="Is it there?", examples=["active"])
    role: PostRole = Field(description="The role that it stands for.", examples=["headteacher"])
    title: str = Field(description="Its title.", examples=["Headteacher"])
    holders: list[str] = Field(
        description="Subjects of those whose grant of the role covers the academy today (for a post of the trust: the "
        "whole trust), as tokens name them; `GET /identity/v1/names` has their names.",
        examples=[["person:0193e2f1-6d2b-7c8a-9d0e-0f6a1b2c3d4e"]],
    )
    is_vacant: bool = Field(description="Does nobody hold it today?", examples=[False])
    created_at: datetime = Field(description="When it was created.", examples=["2026-11-22T08:00:00Z"])
    updated_at: datetime = Field(description="When it was changed last.", examples=["2026-11-22T08:00:00Z"])
    updated_by: str = Field(description="Who changed it last, as tokens name people.", examples=["person:0193e2f1"])
    updated_as: str = Field(description="In which role.", examples=["chief-executive"])
    actions: list[ActionOut] = Field(description="What you may do with it now.")

    @classmethod
    def of(cls, found: Post, holders: Sequence[str], caller: Caller) -> Self:
        """A post with its holders, as this caller sees it."""
        fields = found.model_dump(include=set(cls.model_fields))
        made = cls(**fields, holders=list(holders), is_vacant=not holders, actions=POSTS.actions(found, caller))
        return made.tagged(tag_of(found, holders))


def tag_of(found: Post, holders: Sequence[str]) -> str:
    """The ETag of a post: it has another when somebody else holds it."""
    return etag(f"{found.version}.{hashlib.sha256(' '.join(holders).encode()).hexdigest()[:12]}")


class PostPage(Page[PostOut]):
    """A page of posts."""


class PostListParams(ListParams):
    """Which posts to list."""

    urn: Annotated[tuple[Urn, ...], Field(max_length=100, description="Only of these academies.")] = ()
    role: Annotated[tuple[PostRole, ...], Field(max_length=20, description="Only of these roles.")] = ()
    state: Annotated[tuple[PostState, ...], Field(max_length=2, description="Only in these states.")] = ()


class PostChanges(BaseModel):
    """Every change of state of one post."""

    items: list[ChangeOut] = Field(description="Oldest first.")
