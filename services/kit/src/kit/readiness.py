"""Whether a process can do its work: the checks of `/readyz`, the same for services and workers. Knows no HTTP."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from kit.database.contexts import Context
from kit.database.outages import DRIVER_ERRORS
from kit.database.sessions import Database
from kit.ids import PLATFORM
from kit.problems import Problem
from kit.schema.chains import Chain, problem_of
from kit.telemetry.logs import logger

# Says what is wrong in a few words; None when all is well.
Check = Callable[[], Awaitable[str | None]]

CHECK_SECONDS = 2.0

log = logger(__name__)


class NotReady(Exception):
    """Something that serving needs is missing. Its class name is what `/readyz` shows."""


async def _result_of(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return "no answer in time"
    except (Problem, NotReady, SQLAlchemyError, *DRIVER_ERRORS, OSError) as error:
        log.warning("not ready", check=name, exc_info=error)
        return type(error).__name__


async def readiness(checks: Mapping[str, Check], *, is_stopping: bool = False) -> dict[str, Any]:
    """The body of `/readyz`: `status` is `ready` or `unready`, `checks` says `ok` or what is wrong for each check."""
    names = list(checks)
    found = await asyncio.gather(*(_result_of(name, checks[name]) for name in names))
    results = {name: result or "ok" for name, result in zip(names, found, strict=True)}
    if is_stopping:
        results["process"] = "is stopping"
    is_ready = all(result == "ok" for result in results.values())
    return {"status": "ready" if is_ready else "unready", "checks": results}


def database_check(database: Database, chain: Chain) -> Check:
    """The database answers, and its schema is one that this code can work with."""

    async def check() -> str | None:
        await database.ping()
        async with database.connection(Context(PLATFORM, frozenset(), "readiness")) as connection:
            return await problem_of(chain, connection)

    return check
