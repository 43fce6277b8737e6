"""Followers: what a service does with another's events, page after page, each event exactly once (docs/adr/0079).

There are two kinds. A read model (`kit.events.read_models`) is made from the feed alone, and made again when the feed
begins anew. Side effects queue jobs or end things: they have a cursor of their own, and no rebuild repeats them.
The cursor is saved in the transaction that applies the page: a process that is killed leaves both or neither. One
process at a time runs a follower, by an advisory lock; when it dies another takes over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, Literal

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from kit.calls.client import Calls
from kit.calls.declared import Call
from kit.database.outages import DRIVER_ERRORS
from kit.database.sessions import Context, Database, Session, service_database, set_context
from kit.events.feed import NOW, FeedRestarted
from kit.events.lag import Lag, LagCollector, described
from kit.events.locks import Locks, locks_of
from kit.events.progress import Place, Progress, channel
from kit.events.read_models import ReadModel, empty_side
from kit.events.sources import FollowedEvent, FollowedPage, OwnSource, RemoteSource, Source
from kit.ids import PLATFORM
from kit.problems import Problem, ServiceUnavailable
from kit.settings import ServiceSettings
from kit.telemetry.logs import logger

log = logger(__name__)

# What ends by itself, or by somebody's doing outside: the follower waits and goes on. Anything else is a fault of ours.
_FAILURES: Final = (Problem, DBAPIError, ValidationError, OSError, *DRIVER_ERRORS)


class ReadModelIsNewer(ServiceUnavailable):
    """A newer release of the service keeps this read model already."""


@dataclass(frozen=True, slots=True)
class FollowerTimings:
    """Events of a page, and seconds."""

    page: int = 200
    wait: float = 25.0
    lock: float = 2.0
    first_pause: float = 0.5
    longest_pause: float = 15.0


@dataclass(frozen=True, slots=True)
class SideEffects:
    """What happens here because something happened elsewhere: once for each event, and never again.

    `apply` is given one event, in a transaction under the row-level security of the event's trust. After a restore of
    the source events are read again without effect, up to the last that had one.
    """

    call: Call[FollowedPage]
    consumer: str
    types: Sequence[str]
    apply: Callable[[Session, FollowedEvent], Awaitable[None]]
    begins: Literal["start", "now"] = "start"

    @property
    def place(self) -> Place:
        """Whose progress it is."""
        return Place(self.call.callee, self.consumer)


Followed = ReadModel | SideEffects


class Follower:
    """Follows one source for one consumer."""

    def __init__(
        self,
        followed: Followed,
        source: Source,
        database: Database,
        locks: Locks,
        *,
        timings: FollowerTimings | None = None,
        lag: Lag | None = None,
    ) -> None:
        self.followed = followed
        self.place = followed.place
        self.lag = lag or Lag(self.place)
        self._source = source
        self._database = database
        self._locks = locks
        self._timings = timings or FollowerTimings()
        self._context = Context(PLATFORM, None, f"follower:{self.place.consumer}")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a page that is being applied is applied first."""
        pause = self._timings.first_pause
        while not stop.is_set():
            try:
                held = await self._locks.take(str(self.place))
                self.lag.is_active = held is not None
                if held is None:
                    await _sleep(self._timings.lock, stop)
                    continue
                while held.is_held and not stop.is_set():
                    await self.step(wait=self._timings.wait, stop=stop)
                    pause = self._timings.first_pause
            except _FAILURES as error:
                self.lag.failed(type(error).__name__)
                log.warning("a follower waits", follower=str(self.place), seconds=pause, exc_info=error)
                await _sleep(pause, stop)
                pause = min(pause * 2, self._timings.longest_pause)
        self.lag.is_active = False

    async def step(self, *, wait: float = 0.0, stop: asyncio.Event | None = None) -> bool:
        """Read one page and apply it; whether that was the end of the feed.

        Raises what the call, the database or an event that can't be read raises; then nothing was changed.
        """
        before = await self._progress()
        self.lag.is_rebuilding = before.is_rebuilding
        after = before.rebuild_cursor if before.is_rebuilding else self._cursor(before)
        try:
            # Behind, it doesn't wait: an empty page at once says that it has caught up.
            is_behind = before.is_rebuilding or self.lag.behind_since is not None
            page = await self._read(after, 0.0 if is_behind else wait, stop)
        except FeedRestarted:
            log.warning("a feed began anew", follower=str(self.place))
            await self._begin_again(before)
            return False
        if page is None:
            return False
        is_end = len(page.items) < self._timings.page
        if await self._apply(before, page, is_end=is_end):
            self.lag.events += len(page.items)
        if is_end:
            self.lag.caught_up()
        else:
            self.lag.behind(None if before.is_rebuilding else page.items[-1].time)
        return is_end

    async def catch_up(self) -> None:
        """Apply everything that there is now, and end a rebuild that is under way."""
        while not await self.step() or (await self._progress()).is_rebuilding:
            pass

    async def _progress(self) -> Progress:
        """How far it is; begins a rebuild when somebody, or a newer version of the model, wants one."""
        async with self._database.session(self._context) as session:
            found = await self.place.read(session)
        if not isinstance(self.followed, ReadModel):
            return found
        if found.version > self.followed.version:
            raise ReadModelIsNewer(f"{self.place}: a newer release keeps it; this one leaves it alone.")
        if not found.is_rebuild_wanted and found.version == self.followed.version:
            return found
        await self._begin_again(found)
        async with self._database.session(self._context) as session:
            return await self.place.read(session)

    def _cursor(self, progress: Progress) -> str | None:
        is_new = progress.cursor is None and progress.skip_until is None
        if isinstance(self.followed, SideEffects) and self.followed.begins == "now" and is_new:
            return NOW
        return progress.cursor

    async def _read(self, after: str | None, wait: float, stop: asyncio.Event | None) -> FollowedPage | None:
        """The next page; None when it was woken or is to stop before there was one."""
        if not wait:
            return await self._source.page(after, self._timings.page, 0.0)
        with self._database.wakeups.waiting(channel(self._database.schema)) as waiter:
            reading = asyncio.ensure_future(self._source.page(after, self._timings.page, wait))
            others = [asyncio.ensure_future(waiter.poked.wait())]
            if stop is not None:
                others.append(asyncio.ensure_future(stop.wait()))
            try:
                await asyncio.wait({reading, *others}, return_when=asyncio.FIRST_COMPLETED)
                return reading.result() if reading.done() else None
            finally:
                for task in (reading, *others):
                    task.cancel()
                await asyncio.gather(reading, *others, return_exceptions=True)

    async def _apply(self, before: Progress, page: FollowedPage, *, is_end: bool) -> bool:
        """Apply a page and save the cursor in one transaction; False when another process was quicker."""
        if not page.items and not before.is_rebuilding and page.next == before.cursor:
            return True
        async with self._database.session(self._context) as session:
            if not (await self.place.read(session, lock=True)).is_at(before):
                log.warning("another process applied this page", follower=str(self.place))
                return False
            match self.followed:
                case ReadModel():
                    await self._build(session, self.followed, before, page, is_end=is_end)
                case SideEffects():
                    await self._take_effect(session, self.followed, before, page, is_end=is_end)
        if before.is_rebuilding and is_end:
            log.info("a read model was rebuilt", follower=str(self.place))
            await self._empty(before.side)
        return True

    async def _build(
        self, session: Session, model: ReadModel, before: Progress, page: FollowedPage, *, is_end: bool
    ) -> None:
        side = before.shadow if before.is_rebuilding else before.side
        # Sorting is stable: the events of each trust keep their order.
        by_trust = groupby(sorted(page.items, key=model.trust_of), key=model.trust_of)
        for trust_id, events in by_trust:
            await set_context(session, Context(trust_id, None, self._context.subject))
            await model.apply(session, side, list(events))
            await session.flush()
        await set_context(session, self._context)
        if not before.is_rebuilding:
            await self.place.applied(session, page.next, len(page.items), _newest(page), is_end=is_end)
            return
        await self.place.rebuilt_so_far(session, page.next, len(page.items), _newest(page))
        if is_end:
            await self.place.swap(session)

    async def _take_effect(
        self, session: Session, effects: SideEffects, before: Progress, page: FollowedPage, *, is_end: bool
    ) -> None:
        for event in page.items:
            if before.skip_until is not None and event.time <= before.skip_until:
                continue
            await set_context(session, Context(event.trust, None, self._context.subject))
            await effects.apply(session, event)
            await session.flush()
        await set_context(session, self._context)
        await self.place.applied(session, page.next, len(page.items), _newest(page), is_end=is_end)

    async def _begin_again(self, before: Progress) -> None:
        """The feed begins anew, or somebody wants a rebuild: read from the first event on."""
        async with self._database.session(self._context) as session:
            if not (await self.place.read(session, lock=True)).is_at(before):
                return
            if isinstance(self.followed, ReadModel):
                await self.place.begin_rebuild(session, self.followed.version)
                await empty_side(session, self.followed.tables, before.shadow)
            else:
                await self.place.skip_what_was_applied(session)

    async def _empty(self, side: Literal["a", "b"]) -> None:
        """Remove what nobody reads any more; should it fail, the next rebuild begins with it."""
        assert isinstance(self.followed, ReadModel)
        async with self._database.session(self._context) as session:
            if (await self.place.read(session, lock=True)).shadow == side:
                await empty_side(session, self.followed.tables, side)


class Followers:
    """The followers of one service, as its worker runs them beside its jobs."""

    def __init__(
        self,
        settings: ServiceSettings,
        database: Database,
        followed: Sequence[Followed],
        *,
        calls: Calls | None = None,
        timings: FollowerTimings | None = None,
    ) -> None:
        """`database` is the service's own role. Raises ValueError when a source has two consumers of one name."""
        places = [one.place for one in followed]
        if len(set(places)) < len(places):
            raise ValueError(f"a consumer is there twice: {sorted(map(str, places))}")
        self._settings = settings
        self._database = database
        self._followed = tuple(followed)
        self._calls = calls
        self._timings = timings
        self.lags = tuple(Lag(place) for place in places)

    @property
    def collector(self) -> LagCollector:
        """Their numbers, for the registry of the process's metrics."""
        return LagCollector(self._settings.service, self.lags)

    def details(self) -> dict[str, dict[str, object]]:
        """How far each is, for `/readyz`. A follower that is behind doesn't make its worker unready."""
        return described(self.lags)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with AsyncExitStack() as stack:
            locks = await stack.enter_async_context(locks_of(self._database))
            followers = [
                Follower(
                    followed,
                    self._source(followed, stack),
                    self._database,
                    locks,
                    timings=self._timings,
                    lag=lag,
                )
                for followed, lag in zip(self._followed, self.lags, strict=True)
            ]
            async with asyncio.TaskGroup() as group:
                for follower in followers:
                    group.create_task(follower.run(stop), name=f"follow {follower.place}")

    def _source(self, followed: Followed, stack: AsyncExitStack) -> Source:
        settings = self._settings
        if followed.call.callee != settings.service:
            if self._calls is None:
                self._calls = Calls(settings)
                stack.push_async_callback(self._calls.aclose)
            return RemoteSource(self._calls, followed.call, followed.types)
        if settings.follower_database_url is None:
            raise ValueError(f"TRELLIS_{settings.service.upper()}_FOLLOWER_DATABASE_URL isn't set")
        own = service_database(
            settings, settings.follower_database_url, application_name=f"{settings.service}-follower", pool_size=2
        )
        stack.push_async_callback(own.dispose)
        return OwnSource(settings, own, followed.types)


def _newest(page: FollowedPage) -> datetime | None:
    return max((event.time for event in page.items), default=None)


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """At most until `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
