"""What the feed announces of posts. Who holds one is announced by identity, whose grants decide it."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from academy.posts.tables import Post
from kit.events.changes import Change, EventTitle
from kit.events.recording import EventType


class PostFacts(BaseModel):
    """A post as the feed shows it."""

    post_id: UUID = Field(description="Id of the post.")
    urn: int | None = Field(description="The academy; null for a post of the trust.")
    state: str = Field(description="Its state.")
    role: str = Field(description="The role that it stands for.")
    title: EventTitle = Field(description="Its title.")

    @classmethod
    def of(cls, found: Post) -> Self:
        """The facts of a post."""
        return cls(post_id=found.id, **found.model_dump(include=set(cls.model_fields)))


class PostChange(Change[PostFacts]):
    """A post before and after a change."""


def _type(word: str, title: str) -> EventType:
    return EventType(f"org.trellis.academy.post.{word}.v1", title, "posts:read", PostChange)


CREATED = _type("created", "A post was created")
CHANGED = _type("changed", "A post got another title")
RETIRED = _type("retired", "A post was retired: nothing new names it")
RESTORED = _type("restored", "A retired post is there again")
