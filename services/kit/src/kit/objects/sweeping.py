"""Removing what no row names: content whose upload was never committed, or whose rows are gone."""

from datetime import timedelta

from kit import clock
from kit.database.sessions import Context, Database
from kit.jobs.tasks import JobRun, Tasks
from kit.objects import queries
from kit.objects.folder import BackupRunning
from kit.objects.keys import ObjectKey
from kit.objects.stores import ObjectStore, object_store
from kit.settings import ServiceSettings
from kit.telemetry.logs import logger

# An upload that takes longer than this from its last byte to its commit doesn't exist: transactions are cut before.
GRACE = timedelta(hours=24)
BATCH = 500
SUBJECT = "kit.objects"

log = logger(__name__)


async def sweep(store: ObjectStore, database: Database, *, grace: timedelta = GRACE) -> int:
    """Remove a service's objects that are older than `grace` and that no row names; gives how many.

    Stops early while a backup reads the folder; the next sweep does the rest.
    """
    removed = await store.clean(grace.total_seconds())
    # Written by the machine's clock.
    oldest = clock.machine_now() - grace
    try:
        for trust_id in await store.trusts(database.schema):
            context = Context(trust_id, None, SUBJECT)
            old = [one for one in await store.objects(database.schema, trust_id) if one.written_at < oldest]
            for start in range(0, len(old), BATCH):
                batch = old[start : start + BATCH]
                async with database.session(context) as session:
                    named = await queries.named(session, trust_id, [one.key.sha256 for one in batch])
                for one in batch:
                    if one.key.sha256 not in named:
                        removed += await remove_unnamed(store, database, context, one.key)
    except BackupRunning:
        log.info("files are not swept while a backup runs")
    log.info("files that nothing names were swept", files=removed)
    return removed


async def remove_unnamed(store: ObjectStore, database: Database, context: Context, key: ObjectKey) -> bool:
    """Remove one object, unless a row names it now. Who wants to name it meanwhile waits, and sends it again.

    `context` must be one of the whole trust. Raises BackupRunning.
    """
    async with database.session(context) as session:
        await queries.hold(session, key)
        if await queries.named(session, key.trust_id, [key.sha256]):
            return False
        await store.delete(key)
    return True


def sweeping(service: str) -> Tasks:
    """The task that sweeps a service's objects every night, for its worker."""
    tasks = Tasks()

    @tasks.scheduled(f"{service}.files.sweep", cron="23 2 * * *")
    async def sweep_files(job: JobRun) -> None:
        """Remove the service's objects that no row names."""
        await sweep(object_store(ServiceSettings.for_service(service).object_store), job.database)

    return tasks
