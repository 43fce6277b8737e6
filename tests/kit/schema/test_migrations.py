"""Migrations: up, down and up again, complete, alone, and able to see what they change."""

import ast
import asyncio
import subprocess
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text

from kit.database.sessions import Context, Database
from kit.database.urls import asyncpg_dsn
from kit.schema import migrations
from kit.schema.chains import Chain, head, unexpected
from kit.schema.migrations import compare, create_roles, downgrade, migrate, migrate_sync
from kit.schema.roles import passwords
from tests.support.cluster import CHAINS, PASSWORD, Cluster
from tests.support.databases import Clone, new_name
from tests.support.tokens import OTHER_TRUST, PROSPERE

each_chain = pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain.schema)

MAY_IMPORT = (
    "alembic",
    "sqlalchemy",
    "kit.schema.ddl",
    "kit.schema.event_positions",
    "kit.schema.following",
    "kit.schema.people",
    "collections",
    "datetime",
    "uuid",
    "typing",
    "json",
    "__future__",
)


@pytest_asyncio.fixture
async def empty(cluster: Cluster) -> AsyncIterator[Clone]:
    """A database with nothing in it."""
    name = new_name("empty")
    await cluster.create(name, "template0")
    yield Clone(cluster, name)
    await cluster.drop(name)


def described(empty: Clone, schema: str) -> str:
    """A schema as pg_dump tells it."""
    command = [
        str(empty.cluster.binaries / "pg_dump"),
        "--schema-only",
        f"--schema={schema}",
        "--dbname",
        empty.admin_url,
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # Each dump is given a random word that psql must see again.
    return "\n".join(line for line in told.splitlines() if not line.startswith("\\"))


@each_chain
async def test_up_down_and_up_again_gives_the_same(empty: Clone, chain: Chain) -> None:
    await create_roles(empty.admin_url, [chain.schema])
    migrate_sync(empty.admin_url, [chain])
    first = described(empty, chain.schema)
    assert "CREATE TABLE" in first
    downgrade(empty.admin_url, chain)
    left = described(empty, chain.schema)
    assert left.count("CREATE TABLE") == 2, "only alembic's own table and that of served code stay"
    assert not any(word in left for word in ("CREATE FUNCTION", "CREATE TYPE", "CREATE SEQUENCE"))
    migrate_sync(empty.admin_url, [chain])
    assert described(empty, chain.schema) == first


@each_chain
def test_migrations_make_exactly_what_the_tables_say(worker_database: Clone, chain: Chain) -> None:
    assert compare(worker_database.admin_url, chain) == []


@each_chain
def test_migrations_are_numbered_in_one_line(chain: Chain) -> None:
    files = sorted(path.stem for path in (chain.folder / "versions").glob("*.py"))
    before = None
    for number, name in enumerate(files, start=1):
        assert name.startswith(f"{number:04d}_"), name
        module = ast.parse((chain.folder / "versions" / f"{name}.py").read_text())
        values = {
            node.target.id: ast.literal_eval(node.value)
            for node in module.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
            if node.target.id in ("revision", "down_revision", "oldest_code")
        }
        oldest = values.pop("oldest_code", name)
        assert values == {"revision": name, "down_revision": before}
        assert oldest in files[:number], f"{name} serves code that never was"
        before = name
    assert head(chain) == files[-1]


@each_chain
def test_migrations_import_no_application(chain: Chain) -> None:
    """What they do must not change when the code does."""
    for file in (chain.folder / "versions").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").startswith(MAY_IMPORT), f"{file.name} imports {node.module}"
            elif isinstance(node, ast.Import):
                assert all(name.name.startswith(MAY_IMPORT) for name in node.names), file.name


async def test_two_migrators_at_once_do_no_harm(empty: Clone) -> None:
    """... and a third afterwards nothing."""
    chain = CHAINS[1]
    await create_roles(empty.admin_url, [chain.schema])
    await asyncio.gather(*(asyncio.to_thread(migrate_sync, empty.admin_url, [chain]) for _ in range(2)))
    await migrate(empty.admin_url, [chain])
    async with empty.admin() as admin:
        assert await admin.fetchval(f"select version_num from {chain.schema}.alembic_version") == head(chain)


def test_a_migrator_waits_for_no_lock_for_long(worker_database: Clone) -> None:
    with migrations.migrator_connection(worker_database.admin_url) as connection:
        shown = [
            connection.execute(text(f"show {name}")).scalar_one()
            for name in ("role", "lock_timeout", "statement_timeout")
        ]
    assert shown == ["trellis_migrator", "5s", "15min"]


def test_a_database_at_another_revision_isnt_served() -> None:
    chain = CHAINS[0]
    assert unexpected(chain, head(chain)) is None
    assert "no revision" in str(unexpected(chain, None))
    assert "0001" in str(unexpected(chain, "0001_create_kit_tables"))


# A service of the tests' own, with a backfill.

SAMPLE = {
    "__init__.py": '"""A service of the tests."""',
    "migrations/env.py": "from kit.schema.migrations import run_env\n\nrun_env()\n",
    "migrations/versions/0001_create_marks.py": '''
        """Create marks."""
        from alembic import op
        from kit.schema.ddl import tenant_table_policies

        revision: str = "0001_create_marks"
        down_revision: str | None = None

        def upgrade() -> None:
            op.execute("create table sample.mark (trust_id uuid not null, id int not null, grade text,"
                       " primary key (trust_id, id))")
            for statement in tenant_table_policies("sample", "mark", academy_column=None):
                op.execute(statement)

        def downgrade() -> None:
            op.execute("drop table sample.mark")
        ''',
    "migrations/versions/0002_fill_grades.py": '''
        """Fill grades."""
        from alembic import op

        revision: str = "0002_fill_grades"
        down_revision: str | None = "0001_create_marks"

        def upgrade() -> None:
            filled = op.get_bind().exec_driver_sql("update sample.mark set grade = 'none' where grade is null")
            op.execute(f"create table sample.filled as select {filled.rowcount} as n")

        def downgrade() -> None:
            op.execute("drop table sample.filled")
        ''',
}


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chain]:
    """The chain of a service that exists for these tests only."""
    for name, content in SAMPLE.items():
        file = tmp_path / "sample_service" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content))
    template = Path(CHAINS[0].folder / "script.py.mako").read_text()
    (tmp_path / "sample_service" / "migrations" / "script.py.mako").write_text(template)
    monkeypatch.syspath_prepend(tmp_path)
    yield Chain("sample", "sample_service")
    head.cache_clear()


async def test_a_backfill_sees_the_rows_of_every_trust(empty: Clone, sample: Chain) -> None:
    await create_roles(empty.admin_url, ["sample"], [empty.url("sample_app")])
    migrate_sync(empty.admin_url, [sample], revision="0001_create_marks")
    app = Database(empty.url("sample_app"), application_name="sample")
    try:
        for trust in (PROSPERE, OTHER_TRUST):
            async with app.connection(Context(trust, None, "x")) as connection:
                await connection.executemany(
                    "insert into mark (trust_id, id) values ($1, $2)", [(trust, number) for number in range(50)]
                )
    finally:
        await app.dispose()
    async with empty.admin() as admin:
        await admin.execute("set role sample_owner")
        # What would happen without the migrator's exemption: no error, and no row.
        assert await admin.execute("update sample.mark set grade = 'none'") == "UPDATE 0"
    migrate_sync(empty.admin_url, [sample])
    async with empty.admin() as admin:
        assert await admin.fetchval("select n from sample.filled") == 100
        assert await admin.fetchval("select count(*) from sample.mark where grade = 'none'") == 100
        owners = await admin.fetch("select distinct tableowner from pg_tables where schemaname = 'sample'")
        assert [row["tableowner"] for row in owners] == ["sample_owner"]


async def test_a_new_migration_is_numbered_and_says_what_to_mind(empty: Clone, sample: Chain) -> None:
    await create_roles(empty.admin_url, ["sample"])
    migrate_sync(empty.admin_url, [sample])
    written = migrations.write_revision(empty.admin_url, sample, "Drop marks")
    assert written.name == "0003_drop_marks.py"
    content = written.read_text()
    assert "Safe with the previous release?" in content
    assert "drop_table" in content
    compile(content, written.name, "exec")
    assert 'down_revision: str | None = "0002_fill_grades"' in content
    assert 'oldest_code: str = "0002_fill_grades"' in content


def test_every_service_has_the_same_notes_for_new_migrations() -> None:
    assert len({(chain.folder / "script.py.mako").read_text() for chain in CHAINS}) == 1


async def test_logins_get_the_passwords_of_their_urls(empty: Clone) -> None:
    url = empty.url("sample_app")
    await create_roles(empty.admin_url, ["sample"], [url])
    await (await asyncpg.connect(asyncpg_dsn(url))).close()
    changed = url.replace(PASSWORD, "it%27s%20another%5C")
    await create_roles(empty.admin_url, ["sample"], [changed])
    await (await asyncpg.connect(asyncpg_dsn(changed))).close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(asyncpg_dsn(url))


def test_users_and_passwords_are_read_from_urls() -> None:
    urls = ["postgresql://a:p%40ss@/db?host=/run", "postgresql://b@h1,h2:5433/db", "postgresql:///db"]
    assert passwords(urls) == {"a": "p@ss", "b": None}


@pytest.mark.parametrize("name", ["x; drop table y", "Academy", "", "a-b", "1a"])
async def test_a_schema_is_a_plain_name(empty: Clone, name: str) -> None:
    with pytest.raises(ValueError, match="plain lower-case"):
        await create_roles(empty.admin_url, [name])
