"""Making a service's read models again from nothing, at somebody's wish: `trellis SERVICE rebuild`."""

import asyncio
from dataclasses import dataclass
from typing import Final

from kit.calls.client import Calls
from kit.database.sessions import Context, Database
from kit.events.followers import Follower
from kit.events.locks import Locks
from kit.events.progress import channel
from kit.events.read_models import ReadModel, digest
from kit.events.sources import RemoteSource
from kit.ids import PLATFORM

LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A read model before and after: the same hash when it held what its source's feed says."""

    name: str
    before: str
    after: str

    @property
    def is_equal(self) -> bool:
        """Whether it holds what it held."""
        return self.before == self.after


async def rebuild(database: Database, calls: Calls, model: ReadModel) -> Rebuilt:
    """Rebuild one model: the worker that follows does it or, where none runs, this process.

    Raises a kind of CallFailed when the source can't be read, and DatabaseUnavailable.
    """
    context = Context(PLATFORM, None, "command:rebuild")
    before = await digest(database, model)
    async with database.session(context) as session:
        rebuilds = (await model.place.read(session)).rebuilds
        await model.place.want_rebuild(session)
    database.wakeups.poke(channel(database.schema))
    locks = Locks(database)
    follower = Follower(model, RemoteSource(calls, model.call, model.types), database, locks)
    try:
        while True:
            async with database.session(context) as session:
                if (await model.place.read(session)).rebuilds > rebuilds:
                    break
            if await locks.take(str(model.place)) is None:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                await follower.step()
    finally:
        await locks.aclose()
    return Rebuilt(str(model.place), before, await digest(database, model))
