"""The database as a service sees it: short transactions, each under the context of one caller.

Row-level security shows rows by settings such as `app.trust_id` (see `kit.database.contexts`). They are set by one
function, `set_context`, as the first statement of every transaction and for that transaction only, so that a pooled
connection can never carry one caller's context into another's request.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session as SyncSession
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_only

from kit.database.connections import Connection, ContextConnection, ContextTransaction
from kit.database.contexts import WORKER_TIMEOUTS, Context, Timeouts, context_statements
from kit.database.outages import DRIVER_ERRORS, is_outage, outages_as_503
from kit.database.registered import Registered
from kit.database.snapshots import Snapshots
from kit.database.urls import asyncpg_dsn
from kit.database.wakeups import Wakeups
from kit.identity.callers import Caller
from kit.settings import ServiceSettings

Session = AsyncSession

__all__ = [
    "WORKER_TIMEOUTS",
    "Connection",
    "Context",
    "Database",
    "Session",
    "Timeouts",
    "after_commit",
    "context_of",
    "context_of_session",
    "database_of",
    "driver_of",
    "is_quiet",
    "service_database",
    "set_context",
    "speak",
]

TRANSACTION = "trellis"
# The first key of the locks of transactions that record no events (`kit.events.quiet`).
QUIET_SPACE = 0x54_52_4C_51
_QUIET = text(f"select pg_advisory_xact_lock_shared({QUIET_SPACE}, 0)")

CONNECT_SECONDS = 5.0
CHECKOUT_SECONDS = 10.0
STATEMENT_CACHE_SIZE = 256


@dataclass(slots=True)
class Transaction:
    """What a session's open transaction is: whose rows it sees, over which connection, and what follows its commit."""

    context: Context
    driver: Connection
    database: "Database | None" = None
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    is_quiet: bool = False


def context_of(caller: Caller) -> Context:
    """The context that a caller's token gives it."""
    return Context(caller.tenant_id, caller.academies, caller.subject, caller.projects, caller.sees_pupils)


async def set_context(target: Session | Connection, context: Context) -> None:
    """Show this transaction the rows of `context` and no others, from here to its end.

    The first statement of every transaction: `Database` sends it with the `BEGIN`, where one isn't open yet.
    """
    if isinstance(target, AsyncSession):
        await target.run_sync(_begin, context)
    else:
        await target.execute(_statements(target, context))


def _begin(session: SyncSession, context: Context) -> None:
    """Begin a session's transaction with its context, or change the context of the one that is open."""
    pooled = session.connection()
    raw = pooled.connection
    driver = raw.driver_connection
    assert driver is not None
    open_already = session.info.get(TRANSACTION)
    if isinstance(open_already, Transaction):
        open_already.context, open_already.driver = context, driver
    else:
        session.info[TRANSACTION] = Transaction(context, driver)
    if driver.is_in_transaction():
        await_only(driver.execute(_statements(driver, context)))
        return
    driver.begin_with(_statements(driver, context))
    try:
        # SQLAlchemy begins with the first statement only; the context mustn't wait for that.
        await_only(raw.dbapi_connection._start_transaction())  # type: ignore[union-attr] # noqa: SLF001
    except AsyncAdapt_asyncpg_dbapi.Error:
        pooled.invalidate()
        raise
    except asyncio.CancelledError:
        _abandon(driver)
        raise
    driver.check_begun()


def _statements(driver: Connection, context: Context) -> str:
    return context_statements(context, propagate=getattr(driver, "propagates", False))


def _transaction(session: Session) -> Transaction:
    transaction: Transaction = session.info[TRANSACTION]
    return transaction


def driver_of(session: Session) -> Connection:
    """The driver's own connection inside the session's transaction: for COPY and hot statements."""
    return _transaction(session).driver


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Call `callback` once this session's transaction is committed, and never when it isn't.

    For what only hastens things (waking workers and readers, forgetting prepared answers): it must not raise.
    """
    _transaction(session).after_commit.append(callback)


def database_of(session: Session) -> "Database":
    """The database that a session belongs to."""
    database = _transaction(session).database
    assert database is not None
    return database


def context_of_session(session: Session) -> Context:
    """The context that the session's transaction runs under."""
    return _transaction(session).context


def is_quiet(session: Session) -> bool:
    """Whether the session's transaction has said that it records no events."""
    return _transaction(session).is_quiet


def speak(session: Session) -> None:
    """From here on the session's transaction records events (`kit.events.quiet.record_late`)."""
    _transaction(session).is_quiet = False


class Database:
    """One service's connections to its database, as its own role."""

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        pool_size: int = 8,
        schema: str | None = None,
        timeouts: Timeouts | None = None,
        statement_cache_size: int = STATEMENT_CACHE_SIZE,
        propagate_context: bool = False,
        registered: Registered | None = None,
    ) -> None:
        """Connect lazily to `url` (libpq style).

        `schema` is the service's own (default: the application name up to its first hyphen). Behind PgBouncer in
        transaction mode `statement_cache_size` is 0: statements then have names of their own, and timeouts come
        from the role. `propagate_context` is for a sharded Postgres. With `registered` other events and jobs than the
        service's own are refused when they are recorded.
        """
        self.url = url
        self.schema = schema or application_name.partition("-")[0]
        self.registered = registered
        self._dsn = asyncpg_dsn(url)
        self._application_name = application_name
        self._pooler = statement_cache_size == 0
        self._timeouts = timeouts or Timeouts()
        self._propagate = propagate_context
        arguments: dict[str, Any] = {"prepared_statement_cache_size": statement_cache_size}
        if self._pooler:
            arguments["prepared_statement_name_func"] = lambda: f"trellis_{uuid4().hex}"
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            connect_args=arguments,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=CHECKOUT_SECONDS,
            pool_use_lifo=True,
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        event.listen(self.engine.sync_engine, "checkin", _drop_if_in_transaction)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        # Behind a pooler nobody would hear what is told to a connection that was given back.
        self.wakeups = Wakeups(self.connect, listens=not self._pooler)
        self.snapshots = Snapshots(self.connect, is_known=not propagate_context)

    @property
    def keeps_connections(self) -> bool:
        """Whether a connection stays ours between transactions; not behind a pooler."""
        return not self._pooler

    async def connect(self, **arguments: Any) -> Connection:
        """A new connection of its own, outside the pool; the caller closes it."""
        settings = {} if self._pooler else self._timeouts.settings()
        connection: ContextConnection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_SECONDS,
            statement_cache_size=0 if self._pooler else STATEMENT_CACHE_SIZE,
            server_settings={"application_name": self._application_name, **settings},
            connection_class=ContextConnection,
            **arguments,
        )
        connection.propagates = self._propagate
        return connection

    @asynccontextmanager
    async def session(self, context: Context, *, quiet: bool = False) -> AsyncIterator[Session]:
        """A transaction under `context`: committed at the end, rolled back when anything is raised.

        A `quiet` one records no events and doesn't hold the feed back, however long it takes (`kit.events.quiet`).
        Raises DatabaseUnavailable (503) when the database is away, restarting or overloaded.
        """
        with outages_as_503():
            async with self._new_session(context) as session:
                transaction = _transaction(session)
                transaction.database = self
                try:
                    if quiet:
                        # Before the transaction has a number.
                        await session.execute(_QUIET)
                        transaction.is_quiet = True
                    yield session
                    await session.commit()
                except asyncio.CancelledError:
                    _abandon(driver_of(session))
                    await session.invalidate()
                    raise
                except BaseException:
                    await session.rollback()
                    raise
            for callback in transaction.after_commit:
                callback()

    @asynccontextmanager
    async def _new_session(self, context: Context) -> AsyncIterator[Session]:
        """A session in a fresh transaction that began with its context.

        Nothing was done before, so that a connection which the database has dropped meanwhile is replaced and the
        transaction begun again, at no cost when all is well.
        """
        async with self._sessions() as session:
            try:
                await set_context(session, context)
            except AsyncAdapt_asyncpg_dbapi.Error as error:
                if not is_outage(error):
                    raise
                await session.rollback()
                await set_context(session, context)
            yield session

    @asynccontextmanager
    async def connection(self, context: Context) -> AsyncIterator[Connection]:
        """The driver's own connection in a transaction under `context`: for hot reads and COPY."""
        with outages_as_503():
            async with self.engine.connect() as pooled:
                try:
                    driver, transaction = await self._begin(pooled, context)
                except (*DRIVER_ERRORS, OSError) as error:
                    if not is_outage(error):
                        raise
                    # As in `_new_session`: the database had dropped this connection, and nothing was done yet.
                    await pooled.invalidate()
                    driver, transaction = await self._begin(pooled, context)
                try:
                    yield driver
                    await transaction.commit()
                except asyncio.CancelledError:
                    _abandon(driver)
                    await pooled.invalidate()
                    raise
                except BaseException:
                    if not driver.is_closed():
                        await transaction.rollback()
                    raise

    async def _begin(self, pooled: AsyncConnection, context: Context) -> tuple[Connection, ContextTransaction]:
        """The driver of a pooled connection, in a transaction under `context`."""
        driver: ContextConnection | None = (await pooled.get_raw_connection()).driver_connection
        assert driver is not None
        driver.begin_with(context_statements(context, propagate=self._propagate))
        transaction: ContextTransaction = driver.transaction()
        try:
            await transaction.start()
        except asyncio.CancelledError:
            _abandon(driver)
            await pooled.invalidate()
            raise
        return driver, transaction

    async def ping(self) -> None:
        """Raises DatabaseUnavailable unless the database answers and takes writes."""
        with outages_as_503():
            async with self.engine.connect() as pooled:
                if (await pooled.execute(text("show transaction_read_only"))).scalar_one() == "on":
                    raise asyncpg.ReadOnlySQLTransactionError("the database is a standby")

    async def dispose(self) -> None:
        """Close every connection."""
        await self.wakeups.close()
        await self.snapshots.close()
        await self.engine.dispose()


def service_database(
    settings: ServiceSettings,
    url: str,
    *,
    application_name: str,
    pool_size: int | None = None,
    timeouts: Timeouts | None = None,
    registered: Registered | None = None,
) -> Database:
    """A database of a service as its settings describe it."""
    return Database(
        url,
        application_name=application_name,
        schema=settings.service,
        pool_size=pool_size or settings.database_pool_size,
        timeouts=timeouts,
        statement_cache_size=0 if settings.database_behind_pooler else STATEMENT_CACHE_SIZE,
        propagate_context=settings.database_is_sharded,
        registered=registered,
    )


def _abandon(driver: Connection) -> None:
    """Close a connection whose user was cancelled: whether it is in a transaction, and whose, isn't known."""
    driver.terminate()


def _refuse_closed(connection: Any, _record: ConnectionPoolEntry, _proxy: Any) -> None:
    """A connection that the database has closed meanwhile is replaced before anybody uses it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _drop_if_in_transaction(connection: Any, record: ConnectionPoolEntry) -> None:
    """A connection that comes back with a transaction open (a task cancelled twice) is not used again."""
    if connection is not None:
        driver = connection.driver_connection
        if not driver.is_closed() and driver.is_in_transaction():
            record.invalidate()
