"""A database that goes away and comes back, and one that is restored into another cluster."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from kit.database.outages import DatabaseUnavailable
from kit.database.sessions import Context, Database
from kit.events.epochs import epoch_problem
from kit.schema.migrations import create_roles
from tests.support.cluster import CHAINS, LOGINS, Cluster
from tests.support.databases import Clone
from tests.support.feed import ALL, PATH, feed_service, note, raise_epoch
from tests.support.tokens import OTHER_TRUST, issue_token
from trellis.postgres import EmbeddedPostgres

pytestmark = pytest.mark.slow

RESTORED = "restored"


@pytest.fixture
def other() -> Iterator[Cluster]:
    """A cluster of this test's own, which it may stop."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-other-", dir="/tmp"))
    folder.chmod(0o755)
    postgres = EmbeddedPostgres(folder / "data", folder / "run", settings={"fsync": "off"})
    postgres.start()
    yield Cluster(postgres)
    postgres.stop("immediate")
    shutil.rmtree(folder)


@pytest_asyncio.fixture
async def restored(other: Cluster) -> AsyncIterator[Clone]:
    """An empty database there, with the roles of all services."""
    await other.create(RESTORED, "template0")
    logins = [other.url(role, RESTORED) for role in LOGINS]
    await create_roles(other.admin_url(RESTORED), [chain.schema for chain in CHAINS], logins)
    clone = Clone(other, RESTORED)
    yield clone
    await clone.dispose()


def copy(source: Clone, target: Clone) -> None:
    """What backup and restore do: as a role that row-level security doesn't hold back."""
    dump = subprocess.run(
        [str(source.cluster.binaries / "pg_dump"), "--format=custom", "--dbname", source.admin_url],
        capture_output=True,
        check=True,
    ).stdout
    restore = [str(target.cluster.binaries / "pg_restore"), "--clean", "--if-exists", "--exit-on-error"]
    subprocess.run([*restore, "--dbname", target.admin_url], input=dump, check=True)


async def read_all(database: Database, after: str | None = None) -> tuple[int, list[str], str]:
    """The whole feed of one trust: status, subjects, and where to go on."""
    transport = httpx.ASGITransport(feed_service(database))
    headers = {"Authorization": f"Bearer {issue_token(None, scopes=['events:read', 'ratings:read'])}"}
    subjects: list[str] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        while True:
            response = await client.get(PATH, params={"limit": 7, **({"after": after} if after else {})})
            if response.status_code != 200:
                return response.status_code, subjects, ""
            page = response.json()
            subjects += [item["subject"] for item in page["items"]]
            after = page["next"]
            if not page["items"]:
                return 200, subjects, page["next"]


async def test_the_whole_feed_can_be_read_after_a_restore_into_another_cluster(
    committed_database: Clone, restored: Clone
) -> None:
    here = committed_database.of("academy")
    async with committed_database.admin() as admin:
        # Transaction ids there are far behind those of here: new events would sort before old ones.
        for _ in range(300):
            await admin.execute("select pg_current_xact_id()")
    for number in range(20):
        await note(here, number)
    await note(here, 99, context=Context(OTHER_TRUST, None, "x"))
    _, before, place = await read_all(here)
    assert before == [f"notes/{number}" for number in range(20)]

    copy(committed_database, restored)
    there = restored.of("academy")
    assert "restored from another cluster" in str(await epoch_problem(there))
    await raise_epoch(restored.admin_url, [chain.schema for chain in CHAINS])
    assert await epoch_problem(there) is None
    for number in range(20, 30):
        await note(there, number)
    status, after, end = await read_all(there)
    assert (status, after) == (200, [f"notes/{number}" for number in range(30)])
    assert (await read_all(there, place))[0] == 410
    assert (await read_all(there, end))[:2] == (200, [])


async def test_a_database_that_restarts_is_a_503_and_then_back(
    other: Cluster, restored: Clone, committed_database: Clone
) -> None:
    copy(committed_database, restored)
    await raise_epoch(restored.admin_url, ["academy"])
    database = restored.of("academy")
    await note(database, 1)

    await asyncio.to_thread(other.postgres.stop, "immediate")
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable):
            await note(database, 2)
        with pytest.raises(DatabaseUnavailable):
            async with database.connection(ALL):
                pass
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
    assert (await read_all(database))[0] == 503

    await asyncio.to_thread(other.postgres.start)
    await database.ping()
    await asyncio.gather(*(note(database, number) for number in range(2, 10)))
    status, subjects, _ = await read_all(database)
    assert status == 200
    assert sorted(subjects) == [f"notes/{number}" for number in range(1, 10)]
