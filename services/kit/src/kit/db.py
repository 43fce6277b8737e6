"""The database as a service sees it: short transactions, each under the context of one caller.

Row-level security shows rows by three settings (`app.trust_id`, `app.academies`, `app.subject`). They are set by one
function, `set_context`, as the first statement of every transaction and for that transaction only, so that a pooled
connection can never carry one caller's context into another's request.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID, uuid4

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from kit.caller import Caller, CallerDep
from kit.outages import outages_as_503
from kit.urls import asyncpg_dsn
from kit.wakeups import Wakeups

Session = AsyncSession
if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

AFTER_COMMIT = "trellis.after_commit"
DATABASE = "trellis.database"
CONTEXT = "trellis.context"

CONNECT_SECONDS = 5.0
CHECKOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Context:
    """Whose rows a transaction may see: one trust, all (None) or some of its academies, and who asks."""

    tenant_id: UUID
    academies: frozenset[int] | None
    subject: str

    @property
    def academies_setting(self) -> str:
        """The value of `app.academies`: `*` for all, else URNs with commas; empty when there are none."""
        if self.academies is None:
            return "*"
        return ",".join(str(int(urn)) for urn in sorted(self.academies))


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the database lets one of our transactions last, in milliseconds.

    A write transaction that stays open holds the change feed back for everybody, so none may stay open for long.
    """

    statement_ms: int = 30_000
    lock_ms: int = 10_000
    idle_in_transaction_ms: int = 30_000
    transaction_ms: int = 60_000

    def settings(self) -> dict[str, str]:
        """The Postgres settings, by name."""
        return {
            "statement_timeout": str(self.statement_ms),
            "lock_timeout": str(self.lock_ms),
            "idle_in_transaction_session_timeout": str(self.idle_in_transaction_ms),
            "transaction_timeout": str(self.transaction_ms),
        }


WORKER_TIMEOUTS = Timeouts(
    statement_ms=900_000, lock_ms=60_000, idle_in_transaction_ms=300_000, transaction_ms=1_800_000
)


def context_of(caller: Caller) -> Context:
    """The context that a caller's token gives it."""
    return Context(caller.tenant_id, caller.academies, caller.subject)


def _quoted(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a setting can't hold a NUL")
    return "'" + value.replace("'", "''") + "'"


def _context_settings(context: Context) -> dict[str, str]:
    return {
        "app.trust_id": str(UUID(str(context.tenant_id))),
        "app.academies": context.academies_setting,
        "app.subject": context.subject,
    }


def _set_local(context: Context, *, propagate: bool) -> str:
    """`SET LOCAL` statements with literals, in one round trip.

    A sharded Postgres (Citus) sends only `SET LOCAL` on to its workers, and only under its own switch; a call of
    `set_config()` stays on the coordinator, where row-level security doesn't look.
    """
    statements = ["set local citus.propagate_set_commands to 'local'"] if propagate else []
    statements += [f"set local {name} to {_quoted(value)}" for name, value in _context_settings(context).items()]
    return "; ".join(statements)


_SET_CONFIG = text(
    "select set_config('app.trust_id', :trust_id, true),"
    " set_config('app.academies', :academies, true), set_config('app.subject', :subject, true)"
)


async def set_context(target: Session | Connection, context: Context, *, propagate: bool = False) -> None:
    """Show this transaction the rows of `context` and no others; must be its first statement.

    `propagate` sends the context on to the nodes of a sharded Postgres.
    """
    if isinstance(target, AsyncSession):
        target.info[CONTEXT] = context
        settings = _context_settings(context)
        await target.execute(
            _SET_CONFIG,
            {
                "trust_id": settings["app.trust_id"],
                "academies": settings["app.academies"],
                "subject": settings["app.subject"],
            },
        )
        if propagate:
            raw = await (await target.connection()).get_raw_connection()
            assert raw.driver_connection is not None
            await raw.driver_connection.execute(_set_local(context, propagate=True))
    else:
        await target.execute(_set_local(context, propagate=propagate))


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Call `callback` once this session's transaction is committed, and never when it isn't.

    For what only hastens things (waking workers and readers, forgetting prepared answers): it must not raise.
    """
    session.info.setdefault(AFTER_COMMIT, []).append(callback)


def database_of(session: Session) -> "Database":
    """The database that a session belongs to."""
    database: Database = session.info[DATABASE]
    return database


def context_of_session(session: Session) -> Context:
    """The context that the session's transaction runs under."""
    context: Context = session.info[CONTEXT]
    return context


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
        statement_cache_size: int = 256,
        propagate_context: bool = False,
    ) -> None:
        """Connect lazily to `url` (libpq style).

        `schema` is the service's own (default: the application name up to its first hyphen). Behind PgBouncer in
        transaction mode `statement_cache_size` is 0: statements then have names of their own, and timeouts come
        from the role. `propagate_context` is for a sharded Postgres.
        """
        self.url = url
        self.schema = schema or application_name.partition("-")[0]
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
        self.wakeups = Wakeups(self.connect)

    async def connect(self, **arguments: Any) -> Connection:
        """A new connection of its own, outside the pool; the caller closes it."""
        settings = {} if self._pooler else self._timeouts.settings()
        connection: Connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_SECONDS,
            statement_cache_size=0 if self._pooler else 256,
            server_settings={"application_name": self._application_name, **settings},
            **arguments,
        )
        return connection

    @asynccontextmanager
    async def session(self, context: Context) -> AsyncIterator[Session]:
        """A transaction under `context`: committed at the end, rolled back when anything is raised.

        Raises DatabaseUnavailable (503) when the database is away, restarting or overloaded.
        """
        with outages_as_503():
            async with self._new_session(context) as session:
                session.info[DATABASE] = self
                try:
                    yield session
                    await session.commit()
                except BaseException:
                    await session.rollback()
                    raise
            for callback in session.info.get(AFTER_COMMIT, ()):
                callback()

    @asynccontextmanager
    async def _new_session(self, context: Context) -> AsyncIterator[Session]:
        """A session in a fresh transaction whose first statement set the context.

        That statement is also the ping of a pooled connection: nothing was done yet, so that a connection which
        the database dropped meanwhile is replaced and the statement sent again, at no cost when all is well.
        """
        session = self._sessions()
        try:
            await set_context(session, context, propagate=self._propagate)
        except DBAPIError as error:
            await session.close()
            if not error.connection_invalidated:
                raise
            session = self._sessions()
            try:
                await set_context(session, context, propagate=self._propagate)
            except BaseException:
                await session.close()
                raise
        except BaseException:
            await session.close()
            raise
        try:
            yield session
        finally:
            await session.close()

    @asynccontextmanager
    async def connection(self, context: Context) -> AsyncIterator[Connection]:
        """The driver's own connection in a transaction under `context`: for hot reads and COPY."""
        with outages_as_503():
            async with self.engine.connect() as pooled:
                raw = await pooled.get_raw_connection()
                driver = raw.driver_connection
                assert driver is not None
                async with driver.transaction():
                    await set_context(driver, context, propagate=self._propagate)
                    yield driver

    async def ping(self) -> None:
        """Raises DatabaseUnavailable unless the database answers and takes writes."""
        with outages_as_503():
            async with self.engine.connect() as pooled:
                if (await pooled.execute(text("show transaction_read_only"))).scalar_one() == "on":
                    raise asyncpg.ReadOnlySQLTransactionError("the database is a standby")

    async def dispose(self) -> None:
        """Close every connection."""
        await self.wakeups.close()
        await self.engine.dispose()


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


def database_of_request(request: Request) -> Database:
    """The database of the service that answers `request`."""
    database: Database = request.app.state.database
    return database


async def _session_of_request(request: Request, caller: CallerDep) -> AsyncIterator[Session]:
    opened: Session | None = getattr(request.state, "session", None)
    if opened is not None:
        # The route opened it to keep an idempotency key; it commits at its own edge.
        yield opened
        return
    async with database_of_request(request).session(context_of(caller)) as session:
        yield session


# Function scope: the commit happens before the answer is sent, so that a failed commit can't follow a 200.
SessionDep = Annotated[Session, Depends(_session_of_request, scope="function")]
