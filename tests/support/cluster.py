"""An embedded Postgres for each worker of a test run, started when a test needs it; it ends with the run.

Not one for all: the change feed shows what lies below the oldest open transaction of the whole cluster, so that one
worker's tests would hold back another's.
"""

import asyncio
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg

from kit.database.urls import asyncpg_dsn
from kit.schema.chains import Chain
from kit.schema.migrations import create_roles, migrate_sync
from trellis.postgres import EmbeddedPostgres

FOLDER = "TRELLIS_TEST_CLUSTER"
PASSWORD = "of-the-tests"
TEMPLATE = "trellis_template"

CHAINS = (
    Chain("academy", "academy"),
    Chain("research", "research"),
    Chain("reporting", "reporting"),
    Chain("identity", "gateway.identity"),
)
LOGINS = (
    *(f"{chain.schema}_{kind}" for chain in CHAINS for kind in ("app", "follower")),
    "academy_loader",
    "trellis_migrator",
)

# Nothing in it outlives the run.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "max_prepared_transactions": "4",
}

ENOUGH_MEMORY = 4 * 1024**3

_WATCHDOG = """
import os, shutil, sys, time
from pathlib import Path
from trellis.postgres import EmbeddedPostgres
parent, folder = int(sys.argv[1]), Path(sys.argv[2])
def alive():
    try:
        os.kill(parent, 0)
        return "\\nState:\\tZ" not in Path(f"/proc/{parent}/status").read_text()
    except OSError:
        return False
while alive() and folder.exists():
    time.sleep(0.5)
for one in folder.glob("*/data"):
    EmbeddedPostgres(one, one.with_name("run")).stop("immediate")
shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass(frozen=True)
class Cluster:
    """A worker's Postgres."""

    postgres: EmbeddedPostgres

    def admin_url(self, dbname: str = "postgres") -> str:
        """As superuser, to whom row-level security doesn't apply."""
        return self.postgres.admin_url(dbname)

    def url(self, role: str, dbname: str) -> str:
        """As one of the login roles."""
        query = urlsplit(self.admin_url()).query
        return f"postgresql://{role}:{quote(PASSWORD)}@/{quote(dbname)}?{query}"

    @property
    def binaries(self) -> Path:
        """Where psql, pg_dump and pg_restore are."""
        return self.postgres.binaries

    async def create(self, dbname: str, template: str = TEMPLATE) -> None:
        """A new database, as `template` is."""
        await self._execute(f"create database {dbname} template {template} strategy file_copy")

    async def drop(self, dbname: str) -> None:
        """Drop a database, whoever is connected."""
        await self._execute(f"drop database if exists {dbname} with (force)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(asyncpg_dsn(self.admin_url()))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def announce() -> None:
    """In the process that governs the run: say where clusters will be, should anybody need one."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-test-", dir=_place()))
    # As root, Postgres runs as somebody else, who must get in.
    folder.chmod(0o755)
    os.environ[FOLDER] = f"{os.getpid()}:{folder}"


def _place() -> Path:
    """Memory where there is enough of it: on disk, copying the template's thousand files took twenty times as long."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it gets a random name
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= ENOUGH_MEMORY
    return memory if roomy else Path(tempfile.gettempdir())


def end() -> None:
    """In the same process: stop and forget them."""
    owner, _, name = os.environ.pop(FOLDER, "").partition(":")
    if not name or int(owner) != os.getpid():
        return
    folder = Path(name)
    for data in folder.glob("*/data"):
        _postgres(data.parent).stop("immediate")
    shutil.rmtree(folder, ignore_errors=True)


def shared_cluster() -> Cluster:
    """This worker's cluster with a migrated template, started at the first call."""
    owner, _, name = os.environ[FOLDER].partition(":")
    with _locked(Path(name) / "lock"):
        watched = Path(name) / "watched"
        if not watched.exists():
            _watch(owner, name)
            watched.touch()
    folder = Path(name) / os.environ.get("PYTEST_XDIST_WORKER", "main")
    cluster = Cluster(_postgres(folder))
    if not folder.exists():
        folder.mkdir()
        cluster.postgres.start()
        asyncio.run(_make_template(cluster))
    return cluster


def _watch(owner: str, name: str) -> None:
    """End the clusters even when the run is killed: by a process that belongs to nobody."""
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "watch", sys.executable, "-c", _WATCHDOG, owner, name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )


async def _make_template(cluster: Cluster) -> None:
    await cluster.create(TEMPLATE, "template0")
    logins = [cluster.url(role, TEMPLATE) for role in LOGINS]
    await create_roles(cluster.admin_url(TEMPLATE), [chain.schema for chain in CHAINS], logins)
    migrate_sync(cluster.admin_url(TEMPLATE), CHAINS)


def _postgres(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder / "data", folder / "run", settings=SETTINGS, log=folder / "postgres.log")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
