"""Databases for tests: one that is rolled back after each test, and clones for what needs real commits."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine

from kit.database.outages import outages_as_503
from kit.database.sessions import Connection, Context, Database, Session, Timeouts, set_context
from kit.database.urls import asyncpg_dsn
from tests.support.cluster import Cluster
from trellis.docs import definition_of

_NUMBERS = itertools.count(1)
_AS_BEFORE = """
select pg_stat_get_xact_tuples_inserted('pg_class'::regclass) = 0
   and pg_stat_get_xact_tuples_updated('pg_class'::regclass) = 0
   and pg_stat_get_xact_tuples_inserted('pg_type'::regclass) = 0
   and not exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
"""
_BOOKKEEPING = ("begin", "commit", "rollback", "savepoint", "release", "set local", "reset", "select set_config", ";")


def new_name(purpose: str) -> str:
    """A database name that nobody else in this run uses."""
    return f"{purpose}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(_NUMBERS)}"


class RolledBack(Database):
    """A service's database inside the test's one transaction: its commits are savepoints.

    It acts as the service's role and under row-level security. Its `now()` stands still, and a reader of the feed
    sees nothing that it wrote: for those, and for several connections, take a clone.
    """

    def __init__(self, outer: AsyncConnection, schema: str, role: str) -> None:
        super().__init__(
            "postgresql://nobody@/nowhere",
            application_name=schema,
            schema=schema,
            registered=definition_of(schema),
        )
        self._outer = outer
        self._role = role

    async def connect(self, **arguments: Any) -> Connection:  # noqa: ARG002 - the signature is the product's
        """Refused: another connection would not see the test's rows."""
        raise ConnectionRefusedError("the test's rows are rolled back; take committed_database")

    @asynccontextmanager
    async def _new_session(self, context: Context) -> AsyncIterator[Session]:
        async with AsyncSession(
            bind=self._outer, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            await self._enter(session)
            await set_context(session, context)
            try:
                yield session
            finally:
                await session.rollback()
                await self._leave()

    @asynccontextmanager
    async def connection(self, context: Context) -> AsyncIterator[Connection]:
        """The driver's connection inside a savepoint."""
        raw = await self._outer.get_raw_connection()
        driver: Any = raw.driver_connection
        try:
            with outages_as_503():
                async with driver.transaction():
                    await driver.execute(f"set local role {self._role}; set local search_path = {self._path}")
                    await set_context(driver, context)
                    yield driver
        finally:
            await self._leave()

    async def ping(self) -> None:
        """It answers."""
        await self._outer.execute(text("select 1"))

    @property
    def _path(self) -> str:
        return f"{self.schema}, public, pg_temp"

    async def _enter(self, session: Session) -> None:
        await session.execute(text(f"set local role {self._role}"))
        await session.execute(text(f"set local search_path = {self._path}"))

    async def _leave(self) -> None:
        """Take role and context back: inside the outer transaction they would outlive the savepoint."""
        await self._outer.execute(text("set local role none"))
        await self._outer.execute(
            text(
                "select set_config('app.trust_id', '', true), set_config('app.academies', '', true),"
                " set_config('app.subject', '', true), set_config('app.projects', '', true),"
                " set_config('app.pupils', '', true)"
            )
        )


class Sandbox:
    """The test's database, rolled back at its end. One connection: sessions follow one another or nest."""

    def __init__(self, outer: AsyncConnection) -> None:
        self._outer = outer
        self._databases: dict[tuple[str, str], RolledBack] = {}

    def of(self, schema: str, role: str = "app") -> RolledBack:
        """The database as a service (or its loader or follower) sees it."""
        if (schema, role) not in self._databases:
            self._databases[schema, role] = RolledBack(self._outer, schema, f"{schema}_{role}")
        return self._databases[schema, role]

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Session]:
        """A session of the superuser, for factories: names need their schema, rows of all trusts are seen."""
        async with AsyncSession(
            bind=self._outer, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
            await session.commit()

    async def driver(self) -> Any:
        """The one asyncpg connection underneath."""
        return (await self._outer.get_raw_connection()).driver_connection

    @property
    def connection(self) -> AsyncConnection:
        """SQLAlchemy's connection around it."""
        return self._outer


class Sandboxes:
    """Makes sandboxes on the database at `url` (of the superuser), one after another on one connection.

    A new connection for each test cost more than most tests: it knows no table, type or plan yet.
    """

    def __init__(self, url: str) -> None:
        async def connect() -> Connection:
            connection: Connection = await asyncpg.connect(asyncpg_dsn(url))
            return connection

        self._engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, pool_size=1, max_overflow=0)

    @asynccontextmanager
    async def sandbox(self) -> AsyncIterator[Sandbox]:
        """A sandbox; what is left of it at its end is rolled back."""
        async with self._engine.connect() as outer:
            transaction = await outer.begin()
            try:
                yield Sandbox(outer)
            finally:
                if not await self._is_as_before(outer):
                    await outer.invalidate()
                await transaction.rollback()

    async def dispose(self) -> None:
        """Close the connection."""
        await self._engine.dispose()

    @staticmethod
    async def _is_as_before(outer: AsyncConnection) -> bool:
        """Whether the connection may serve another test: it knows no table that is rolled back and holds no lock."""
        try:
            return bool((await outer.execute(text(_AS_BEFORE))).scalar_one())
        except DBAPIError:
            return False


class Clone:
    """A database of the test's own, where commits are commits and every role connects as itself."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self._databases: dict[tuple[str, str], Database] = {}

    @property
    def admin_url(self) -> str:
        """As superuser."""
        return self.cluster.admin_url(self.name)

    def url(self, role: str) -> str:
        """As one of the login roles, such as `academy_app`."""
        return self.cluster.url(role, self.name)

    def of(self, schema: str, role: str = "app", *, pool_size: int = 8) -> Database:
        """The database as a service (or its loader or follower) sees it."""
        if (schema, role) not in self._databases:
            self._databases[schema, role] = self.new(schema, role, pool_size=pool_size)
        return self._databases[schema, role]

    def new(self, schema: str, role: str = "app", *, pool_size: int = 8, timeouts: Timeouts | None = None) -> Database:
        """Another pool, which the test disposes of."""
        return Database(
            self.url(f"{schema}_{role}"),
            application_name=schema,
            schema=schema,
            pool_size=pool_size,
            timeouts=timeouts,
        )

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Connection]:
        """A connection of the superuser."""
        connection: Connection = await asyncpg.connect(asyncpg_dsn(self.admin_url))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Inside the block the services' roles lose their connections and get no new ones."""
        async with self.admin() as admin:
            await admin.execute(f"alter database {self.name} connection limit 0")
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            try:
                yield
            finally:
                await admin.execute(f"alter database {self.name} connection limit -1")

    async def dispose(self) -> None:
        """Close all pools."""
        for database in self._databases.values():
            await database.dispose()


@asynccontextmanager
async def clone(cluster: Cluster, purpose: str = "clone") -> AsyncIterator[Clone]:
    """A fresh copy of the migrated template, dropped afterwards."""
    name = new_name(purpose)
    await cluster.create(name)
    copy = Clone(cluster, name)
    try:
        yield copy
    finally:
        await copy.dispose()
        await cluster.drop(name)


@contextmanager
def counted(driver: Any, connection: AsyncConnection) -> Iterator[list[str]]:
    """The statements that go through this connection, by SQLAlchemy or straight to the driver, without those that
    open, close and frame transactions.
    """
    seen: list[str] = []

    def note(query: str) -> None:
        statement = " ".join(query.split())
        if not statement.lower().startswith(_BOOKKEEPING):
            seen.append(statement)

    # The driver's log leaves out prepared statements, which is what SQLAlchemy sends.
    def sent(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    def log(record: Any) -> None:
        note(record.query)

    event.listen(connection.sync_connection, "before_cursor_execute", sent)
    driver.add_query_logger(log)
    try:
        yield seen
    finally:
        driver.remove_query_logger(log)
        event.remove(connection.sync_connection, "before_cursor_execute", sent)
