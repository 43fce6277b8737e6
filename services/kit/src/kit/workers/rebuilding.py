"""Making a service's read models again from nothing, at somebody's wish: `trellis SERVICE rebuild`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kit.calls.client import Calls
from kit.database.sessions import Context, Database, service_database
from kit.definition import ServiceDefinition
from kit.events.followers import Follower
from kit.events.locks import Locks
from kit.events.progress import channel
from kit.events.read_models import ReadModel, digest
from kit.events.sources import RemoteSource
from kit.ids import PLATFORM
from kit.problems import Problem
from kit.settings import ServiceSettings
from kit.telemetry.logs import configure_logs
from kit.workers.following import read_models_of

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


def main(service: ServiceDefinition) -> int:
    """`python -m {service}.rebuild [MODEL ...]`: rebuild these read models, or all; says whether each is as it was.

    The exit code is 1 when a source can't be read, and 2 for a model that there isn't.
    """
    models = {model.consumer: model for model in read_models_of(service)}
    parser = argparse.ArgumentParser(prog=f"trellis {service.name} rebuild")
    parser.add_argument("model", nargs="*", help=f"which of {', '.join(models)}; all of them unless given")
    names: Sequence[str] = parser.parse_args().model or list(models)
    if unknown := set(names) - set(models):
        parser.error(f"there is no read model {', '.join(sorted(unknown))}; there are {', '.join(models)}")
    settings = ServiceSettings.for_service(service.name)
    configure_logs(f"{service.name}-rebuild", "WARNING")
    try:
        for rebuilt in asyncio.run(_rebuild_all(service, settings, [models[name] for name in names])):
            change = "as it was" if rebuilt.is_equal else f"another than before ({rebuilt.before[:12]})"
            sys.stdout.write(f"{rebuilt.name}: {change}, {rebuilt.after[:12]}\n")
    except Problem as problem:
        sys.stderr.write(f"trellis: {problem.detail or problem.title}\n")
        return 1
    return 0


async def _rebuild_all(
    service: ServiceDefinition, settings: ServiceSettings, models: Sequence[ReadModel]
) -> list[Rebuilt]:
    database = service_database(
        settings, settings.database_url, application_name=f"{service.name}-rebuild", pool_size=2, registered=service
    )
    calls = Calls(settings)
    try:
        return [await rebuild(database, calls, model) for model in models]
    finally:
        await calls.aclose()
        await database.dispose()
