"""Where a follower reads: another service's feed over HTTP, or the service's own in its database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict

from kit import cursors
from kit.calls.client import Calls
from kit.calls.declared import Call
from kit.calls.errors import CalleeGone, CalleeRefused
from kit.database.sessions import Context, Database
from kit.events.feed import NOW, FeedRestarted, Follower, cursor_of, place_of
from kit.events.pages import Reader
from kit.ids import PLATFORM
from kit.problems import InvalidCursor
from kit.settings import ServiceSettings
from kit.shutdown import Closing

Data = TypeVar("Data", bound=BaseModel)
KindOf = type[Data]

# Longer than the source lets anybody wait, and than it takes to read a large page.
PAGE_SECONDS = 60.0


class FollowedEvent(BaseModel):
    """An event of a feed. `data` is read by `read`, into a model with the members that the reader needs."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    type: str
    subject: str
    time: datetime
    trust: UUID
    urn: int | None
    data: dict[str, Any]

    def read(self, model: KindOf[Data]) -> Data:
        """What it says. Raises pydantic's ValidationError when it doesn't fit the model."""
        return model.model_validate(self.data)


class FollowedPage(BaseModel):
    """Events in order, and where to continue."""

    items: list[FollowedEvent]
    next: str


class Source(Protocol):
    """A feed that can be followed."""

    @property
    def name(self) -> str:
        """The service whose feed it is."""
        ...

    async def page(self, after: str | None, limit: int, wait: float) -> FollowedPage:
        """The next events after a cursor, from the first one without; waits so many seconds for one.

        Raises FeedRestarted when the cursor counts no longer, and what a call or the database raises.
        """
        ...


class RemoteSource:
    """Another service's feed, over HTTP, as this service's client, which follows every trust."""

    def __init__(self, calls: Calls, call: Call[FollowedPage], types: Sequence[str]) -> None:
        self._calls = calls.following()
        self._call = call
        self._types = list(types)

    @property
    def name(self) -> str:
        """The service whose feed it is."""
        return self._call.callee

    async def page(self, after: str | None, limit: int, wait: float) -> FollowedPage:
        """The next events."""
        query = {"after": after, "limit": limit, "wait": int(wait), "types": self._types}
        try:
            return await self._calls.send(self._call, query=query, seconds=PAGE_SECONDS)
        except CalleeGone as gone:
            raise FeedRestarted(gone.detail) from gone
        except CalleeRefused as refused:
            # Signed with a key that the source no longer has: as good as from another installation.
            if refused.callee_code == InvalidCursor.code:
                raise FeedRestarted(refused.detail) from refused
            raise


class OwnSource:
    """The service's own feed, read in its database by the role that sees events of every trust and nothing else."""

    def __init__(self, settings: ServiceSettings, follower_database: Database, types: Sequence[str]) -> None:
        self._keys = cursors.derive_keys(settings.key_ring)
        self._name = settings.service
        context = Context(PLATFORM, None, f"follower:{settings.service}")
        self._reader = Reader(follower_database, context, None, list(types))
        self._closing = Closing()

    @property
    def name(self) -> str:
        """The service whose feed it is."""
        return self._name

    async def page(self, after: str | None, limit: int, wait: float) -> FollowedPage:
        """The next events."""
        cursors.use_keys(self._keys)
        try:
            place = await place_of(self._reader, after)
        except InvalidCursor as invalid:
            raise FeedRestarted(invalid.detail) from invalid
        page = await Follower(self._reader, place, self._closing).next_page(limit, wait if after != NOW else 0)
        return FollowedPage.model_validate_json(
            orjson.dumps(
                {
                    "items": [event for _, event in page.events],
                    "next": cursor_of(self._reader, page.origin, page.after),
                }
            )
        )
