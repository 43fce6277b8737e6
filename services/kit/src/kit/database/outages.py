"""What it looks like when the database is away, restarting, failing over or overloaded, and what callers are told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kit.problems import ServiceUnavailable

RETRY_AFTER_SECONDS = 2
DISK_FULL = "53100"
FULL_RETRY_SECONDS = 60
"""Somebody has to make room first."""

# Connection failures; no room; shutting down, crashed, starting; a standby after a failover; our own time limits;
# serialization failure and deadlock. In each the same request may well succeed a moment later.
_SQLSTATES = ("08", "53", "57", "58", "25006", "25P03", "25P04", "55P03", "40001", "40P01")


DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""Everything that the driver raises of its own; the last when a connection is cut in the middle of a statement."""


class DatabaseUnavailable(ServiceUnavailable):
    """The database is unavailable; nothing was changed."""

    title = "The database can't be reached"


def is_outage(error: BaseException) -> bool:
    """Would the same request probably succeed a moment later?"""
    if isinstance(error, PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_outage(error.orig))
    if isinstance(error, AsyncAdapt_asyncpg_dbapi.Error):
        return error.__cause__ is not None and _is_driver_outage(error.__cause__)
    return _is_driver_outage(error)


def unavailable(error: BaseException) -> DatabaseUnavailable:
    """What a caller is told about an outage. Without room for writes the database still answers reads."""
    if is_full(error):
        detail = "The database has no space left for changes; reading goes on. Contact the operator."
        return DatabaseUnavailable(detail, retry_after_seconds=FULL_RETRY_SECONDS)
    return DatabaseUnavailable("Try again in a moment.", retry_after_seconds=RETRY_AFTER_SECONDS)


def is_full(error: BaseException) -> bool:
    """Whether the database's disk is full."""
    if isinstance(error, DBAPIError):
        return error.orig is not None and is_full(error.orig)
    if isinstance(error, AsyncAdapt_asyncpg_dbapi.Error):
        return error.__cause__ is not None and is_full(error.__cause__)
    return isinstance(error, asyncpg.PostgresError) and getattr(error, "sqlstate", None) == DISK_FULL


def _is_driver_outage(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return str(getattr(error, "sqlstate", "") or "").startswith(_SQLSTATES)
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error) or "released" in str(error)
    return isinstance(error, ConnectionError | FileNotFoundError | asyncio.TimeoutError | asyncpg.InternalClientError)


@contextmanager
def outages_as_503() -> Iterator[None]:
    """Raises DatabaseUnavailable in place of the driver's errors that mean "try later"."""
    try:
        yield
    except (
        TimeoutError,
        DBAPIError,
        AsyncAdapt_asyncpg_dbapi.Error,
        PoolTimeoutError,
        *DRIVER_ERRORS,
        OSError,
    ) as error:
        if not is_outage(error):
            raise
        raise unavailable(error) from error
