"""During an upgrade: the code that still runs stays ready when the newer schema says that it serves it."""

import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kit.database.sessions import Database
from kit.readiness import database_check
from kit.schema.chains import Chain, head, unexpected
from kit.schema.migrations import create_roles, downgrade, migrate_sync
from tests.support.cluster import CHAINS, Cluster
from tests.support.databases import Clone, new_name

OLD = "0002_second"


def write(folder: Path, *numbered: tuple[str, str | None, str | None]) -> None:
    """A service with these migrations: name, the one before, and its `oldest_code`."""
    versions = folder / "upgraded" / "migrations" / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    (folder / "upgraded" / "__init__.py").write_text('"""A service of the tests."""\n')
    (versions.parent / "env.py").write_text("from kit.schema.migrations import run_env\n\nrun_env()\n")
    for name, before, oldest in numbered:
        lines = f"""
            revision: str = {name!r}
            down_revision: str | None = {before!r}
            {"" if oldest is None else f"oldest_code: str = {oldest!r}"}

            def upgrade() -> None:
                pass

            def downgrade() -> None:
                pass
            """
        (versions / f"{name}.py").write_text(textwrap.dedent(lines))


@pytest_asyncio.fixture
async def empty(cluster: Cluster) -> AsyncIterator[Clone]:
    """A database with nothing in it."""
    name = new_name("upgraded")
    await cluster.create(name, "template0")
    yield Clone(cluster, name)
    await cluster.drop(name)


class Upgrade:
    """A service whose code is of `OLD`, and a database that a later release migrated further."""

    def __init__(self, empty: Clone, folder: Path) -> None:
        self.chain = Chain("upgraded", "upgraded")
        self.empty = empty
        self.folder = folder
        self.database = Database(empty.url("upgraded_app"), application_name="upgraded")

    async def to(self, *newer: tuple[str, str | None, str | None]) -> None:
        """Migrate with the newer release's files, then take them away again."""
        write(self.folder, *newer)
        migrate_sync(self.empty.admin_url, [self.chain])
        for name, _, _ in newer:
            (self.chain.versions / f"{name}.py").unlink()
        head.cache_clear()

    async def problem(self) -> str | None:
        """What the old code's readiness says."""
        return await database_check(self.database, self.chain)()


@pytest_asyncio.fixture
async def upgrade(empty: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Upgrade]:
    """The old code with its own schema, ready."""
    write(tmp_path, ("0001_first", None, None), (OLD, "0001_first", "0001_first"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "upgraded", raising=False)
    await create_roles(empty.admin_url, ["upgraded"], [empty.url("upgraded_app")])
    found = Upgrade(empty, tmp_path)
    migrate_sync(empty.admin_url, [found.chain])
    assert await found.problem() is None
    yield found
    await found.database.dispose()
    head.cache_clear()


async def test_a_newer_schema_that_serves_this_code_is_fine(upgrade: Upgrade) -> None:
    await upgrade.to(("0003_third", OLD, "0001_first"), ("0004_fourth", "0003_third", OLD))
    assert await upgrade.problem() is None


async def test_every_newer_migration_must_serve_this_code(upgrade: Upgrade) -> None:
    await upgrade.to(("0003_third", OLD, "0003_third"), ("0004_fourth", "0003_third", "0001_first"))
    problem = await upgrade.problem()
    assert problem is not None
    assert "is at 0004_fourth; since 0003_third it serves no code older than 0003_third" in problem
    assert f"this code is of {OLD}" in problem


async def test_a_migration_that_says_nothing_serves_no_older_code(upgrade: Upgrade) -> None:
    await upgrade.to(("0003_third", OLD, None))
    assert "serves no code older than 0003_third" in str(await upgrade.problem())


async def test_an_older_schema_serves_nobody(upgrade: Upgrade) -> None:
    downgrade(upgrade.empty.admin_url, upgrade.chain, "0001_first")
    assert await upgrade.problem() == f"the schema upgraded is at 0001_first, this code needs {OLD}"


async def test_what_was_taken_back_is_forgotten(upgrade: Upgrade) -> None:
    write(upgrade.folder, ("0003_third", OLD, "0003_third"))
    migrate_sync(upgrade.empty.admin_url, [upgrade.chain])
    downgrade(upgrade.empty.admin_url, upgrade.chain, OLD)
    (upgrade.chain.versions / "0003_third.py").unlink()
    head.cache_clear()
    assert await upgrade.problem() is None
    await upgrade.to(("0003_other", OLD, OLD))
    assert await upgrade.problem() is None


async def test_a_newer_schema_that_noted_nothing_serves_no_older_code(upgrade: Upgrade) -> None:
    """As a release before this rule left it."""
    await upgrade.to(("0003_third", OLD, OLD))
    async with upgrade.empty.admin() as admin:
        await admin.execute("drop table upgraded.schema_serves")
    assert await upgrade.problem() == f"the schema upgraded is at 0003_third, this code needs {OLD}"


async def test_services_only_read_what_is_served(upgrade: Upgrade) -> None:
    async with upgrade.empty.admin() as admin:
        for right, held in (("select", True), ("insert", False), ("update", False), ("delete", False)):
            asked = "select has_table_privilege('upgraded_app', 'upgraded.schema_serves', $1)"
            assert await admin.fetchval(asked, right) is held


def test_newer_code_isnt_compared_by_its_name_alone() -> None:
    chain = CHAINS[0]
    assert unexpected(chain, "9999_made_up", {}) is not None
    assert unexpected(chain, "9999_made_up", {"9998_another": "0001_x"}) is not None
    assert unexpected(chain, "9999_made_up", {"9999_made_up": head(chain)}) is None
