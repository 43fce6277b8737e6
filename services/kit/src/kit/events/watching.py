"""Waiting for events: one look for all readers of a trust, who are woken a few at a time.

Thousands of programs keep a request open until there is an event. Each of them looking by itself would be thousands of
queries a second while nothing happens, and as many at once when something does. So one task for each trust with waiting
readers looks where its feed ends, every now and then and after each hint; readers sleep until the end has moved beyond
their place. Those that read the same thing share one query. Woken readers go on in turns, trust by trust, so that the
readers of one trust can't fill the process.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID
from weakref import WeakKeyDictionary, WeakSet

from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context, Database
from kit.database.wakeups import Waiter
from kit.events.pages import END_OF_ALL, END_OF_TRUST, START, Page, Position, Reader, read_page
from kit.events.recording import channel
from kit.ids import PLATFORM
from kit.shutdown import Closing
from kit.telemetry.logs import logger

SUBJECT = "feed"

# How often a trust's feed is looked at without a hint: seldom while hints of other processes come, often otherwise.
LOOK_SECONDS = 2.0
LOOK_SECONDS_DEAF = 0.5
# Events wait for an older transaction that is still open; it may end at any moment.
FIRST_PAUSE_SECONDS = 0.02
# An event is hidden for as long as a transaction needs for its end.
HIDDEN_PAUSE_SECONDS = 0.005

# 400 readers a second: what one process can answer and still do its other work.
WOKEN_AT_ONCE = 4
WAKE_PAUSE_SECONDS = 0.01
MOST_SHARED_PAGES = 64

log = logger(__name__)

_Sleeper = asyncio.Future[None]


class Waker:
    """Lets woken readers go on, a few at a time and the trusts in turns."""

    def __init__(self) -> None:
        self._queues: OrderedDict[UUID | None, deque[_Sleeper]] = OrderedDict()
        self._waking: asyncio.Task[None] | None = None

    def wake(self, trust_id: UUID | None, sleepers: Iterable[_Sleeper]) -> None:
        """These readers of a trust go on, as soon as it is their turn."""
        queue = deque(sleepers)
        if not queue:
            return
        self._queues.setdefault(trust_id, deque()).extend(queue)
        if self._waking is None or self._waking.done():
            self._waking = asyncio.get_running_loop().create_task(self._wake(), name="feed: wake readers")

    def release(self) -> None:
        """All who were woken go on at once."""
        queues, self._queues = self._queues, OrderedDict()
        for queue in queues.values():
            for sleeper in queue:
                _go_on(sleeper)

    async def _wake(self) -> None:
        while self._queues:
            for _ in range(min(WOKEN_AT_ONCE, sum(map(len, self._queues.values())))):
                trust_id, queue = self._queues.popitem(last=False)
                _go_on(queue.popleft())
                if queue:
                    self._queues[trust_id] = queue
            await asyncio.sleep(WAKE_PAUSE_SECONDS)


def _go_on(sleeper: _Sleeper) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


class Watch:
    """Where the feed of one trust ends, or that of all trusts (None), as long as somebody waits for more."""

    def __init__(self, database: Database, trust_id: UUID | None, waker: Waker) -> None:
        self.readers = 0
        self.looks = 0
        """How often it has asked the database."""
        self.end = START
        """Where the feed ended when it was last looked at."""
        self._database = database
        self._trust_id = trust_id
        self._waker = waker
        self._sleepers: dict[_Sleeper, Position] = {}
        self._pages: dict[object, asyncio.Task[Page]] = {}
        self._is_looking = False
        self._is_over = False

    @property
    def asleep(self) -> int:
        """How many readers wait to be woken."""
        return len(self._sleepers)

    async def run(self, waiter: Waiter) -> None:
        """Look on and on, until it is ended."""
        pause: float | None = None
        while True:
            # At once for the first time: readers may have looked for themselves a moment before.
            self._is_looking = True
            try:
                is_behind = await self._look()
            except DatabaseUnavailable:
                # They see for themselves, and answer as every request does at such a time.
                self._go_on(lambda _: True)
                is_behind = False
            finally:
                self._is_looking = False
            if self._is_over:
                return
            pause = None if not is_behind else FIRST_PAUSE_SECONDS if pause is None else 2 * pause
            look = LOOK_SECONDS if waiter.hears else LOOK_SECONDS_DEAF
            await waiter.wait(min(pause or look, look))

    def end_with(self, running: "asyncio.Task[None]") -> None:
        """Nobody reads any more. A look that is under way ends by itself: cancelling it would cost its connection."""
        if self._is_looking:
            self._is_over = True
        else:
            running.cancel()

    async def _look(self) -> bool:
        """See where the feed ends and wake those who are before it. True when there is more that can't be read yet."""
        self.looks += 1
        context = Context(self._trust_id or PLATFORM, None, SUBJECT)
        async with self._database.connection(context) as connection:
            if self._trust_id is None:
                row = await connection.fetchrow(END_OF_ALL)
            else:
                row = await connection.fetchrow(END_OF_TRUST, self._trust_id)
        assert row is not None
        if row["seq"] is not None:
            end = Position(row["epoch"], int(row["xid"]), row["seq"])
            if end > self.end:
                self.end = end
                self._pages.clear()
                self._go_on(lambda place: place < end)
        return bool(row["is_behind"])

    def _go_on(self, who: Callable[[Position], bool]) -> None:
        woken = [sleeper for sleeper, place in self._sleepers.items() if who(place)]
        for sleeper in woken:
            del self._sleepers[sleeper]
        self._waker.wake(self._trust_id, woken)

    def release(self) -> None:
        """All who wait go on at once: the process is about to stop."""
        for sleeper in self._sleepers:
            _go_on(sleeper)
        self._sleepers.clear()

    async def beyond(self, place: Position, seconds: float) -> bool:
        """True as soon as there are events beyond a place, or a reason to look; False after `seconds`."""
        if self.end > place:
            return True
        sleeper: _Sleeper = asyncio.get_running_loop().create_future()
        self._sleepers[sleeper] = place
        try:
            async with asyncio.timeout(seconds):
                await sleeper
        except TimeoutError:
            return False
        finally:
            self._sleepers.pop(sleeper, None)
        return True

    async def page(self, reader: Reader, after: Position, limit: int) -> Page:
        """The next events after a place; one query for all who see the same rows and have the same place.

        Rows are hidden by trust, academies, projects and pupils, never by who reads them.
        """
        context, end = reader.context, self.end
        key = (context.academies, context.projects, context.pupils, tuple(reader.types), after, limit)
        while True:
            page = await self._page(key, reader, after, limit)
            # A quiet transaction that ends while a page is read counts as one that runs, and may hide an event from it
            # that was seen before: who went to sleep with that page would miss its waking.
            if page.events or page.reaches(end):
                return page
            self._pages.pop(key, None)
            await asyncio.sleep(HIDDEN_PAUSE_SECONDS)

    async def _page(self, key: object, reader: Reader, after: Position, limit: int) -> Page:
        reading = self._pages.get(key)
        if reading is None or (reading.done() and (reading.cancelled() or reading.exception() is not None)):
            if len(self._pages) >= MOST_SHARED_PAGES:
                del self._pages[next(iter(self._pages))]
            reading = self._pages[key] = asyncio.create_task(_read(reader, after, limit), name="feed: read a page")
            reading.add_done_callback(_looked_at)
        # Not cancelled with the reader that happens to be the first.
        return await asyncio.shield(reading)


async def _read(reader: Reader, after: Position, limit: int) -> Page:
    async with reader.database.connection(reader.context) as connection:
        return await read_page(connection, reader, after, limit)


def _looked_at(reading: asyncio.Task[Page]) -> None:
    """The readers get its fault; without any left there is nobody to raise it to."""
    if not reading.cancelled() and (fault := reading.exception()) is not None:
        log.debug("a page of events can't be read", error=type(fault).__name__)


class Watches:
    """The watches of one database, one for each trust that somebody reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waker = Waker()
        self._watches: dict[UUID | None, Watch] = {}
        self._running: dict[UUID | None, asyncio.Task[None]] = {}
        self._closings: WeakSet[Closing] = WeakSet()

    def of(self, trust_id: UUID | None) -> Watch | None:
        """The watch of a trust that somebody reads; None when nobody does."""
        return self._watches.get(trust_id)

    @contextmanager
    def watching(self, reader: Reader, closing: Closing) -> Iterator[Watch]:
        """The watch of a reader's trust. A new one looks at once: the reader may have looked a moment before."""
        if closing not in self._closings:
            self._closings.add(closing)
            closing.on_begin(self._release)
        trust_id = reader.trust_id
        watch = self._watches.get(trust_id)
        if watch is None:
            watch = self._watches[trust_id] = Watch(self._database, trust_id, self._waker)
            self._running[trust_id] = self._run(watch, trust_id)
        watch.readers += 1
        try:
            yield watch
        finally:
            watch.readers -= 1
            if watch.readers == 0:
                del self._watches[trust_id]
                watch.end_with(self._running.pop(trust_id))

    def _run(self, watch: Watch, trust_id: UUID | None) -> asyncio.Task[None]:
        payload = None if trust_id is None else str(trust_id)
        waiting = self._database.wakeups.waiting(channel(self._database.schema), payload)
        # From here on, and not from the first step of the task.
        waiter = waiting.__enter__()
        task = asyncio.get_running_loop().create_task(watch.run(waiter), name="feed: watch a trust")

        def ended(task: asyncio.Task[None]) -> None:
            waiting.__exit__(None, None, None)
            if not task.cancelled() and (fault := task.exception()) is not None:
                log.error("a trust's feed wasn't looked at; this is tried again", exc_info=fault)
                watch.release()
                task.get_loop().call_later(LOOK_SECONDS, self._run_again, watch, trust_id)

        task.add_done_callback(ended)
        return task

    def _run_again(self, watch: Watch, trust_id: UUID | None) -> None:
        if self._watches.get(trust_id) is watch:
            self._running[trust_id] = self._run(watch, trust_id)

    def _release(self) -> None:
        self._waker.release()
        for watch in self._watches.values():
            watch.release()


_OF_DATABASE: WeakKeyDictionary[Database, Watches] = WeakKeyDictionary()


def watches_of(database: Database) -> Watches:
    """The watches of a database."""
    watches = _OF_DATABASE.get(database)
    if watches is None:
        watches = _OF_DATABASE[database] = Watches(database)
    return watches
