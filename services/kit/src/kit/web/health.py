"""Is the process alive, and can it serve? `/healthz`, `/readyz` and `/metrics`, for those who run it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from kit.database.outages import DRIVER_ERRORS
from kit.database.sessions import Context, Database
from kit.identity.keys import KeysUnavailable
from kit.ids import PLATFORM
from kit.problems import Problem
from kit.schema.chains import CURRENT, Chain, unexpected
from kit.shutdown import Closing
from kit.telemetry.logs import logger
from kit.telemetry.metrics import MEDIA_TYPE, Metrics

# Says what is wrong in a few words; None when all is well.
Check = Callable[[], Awaitable[str | None]]

CHECK_SECONDS = 2.0

log = logger(__name__)


async def _answer_of(name: str, check: Check) -> str | None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return "no answer in time"
    except (
        Problem,
        KeysUnavailable,
        SQLAlchemyError,
        *DRIVER_ERRORS,
        OSError,
    ) as error:
        log.warning("not ready", check=name, exc_info=error)
        return type(error).__name__


def database_check(database: Database, chain: Chain) -> Check:
    """The database answers, and is at the revision that this code was written for."""

    async def check() -> str | None:
        await database.ping()
        async with database.connection(Context(PLATFORM, frozenset(), "readiness")) as connection:
            return unexpected(chain, await connection.fetchval(CURRENT.format(schema=chain.schema)))

    return check


def health_router(checks: Mapping[str, Check], metrics: Metrics, closing: Closing) -> APIRouter:
    """The routes for those who run a service; they are in no contract and the gateway lets nobody in."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        """The process answers."""
        return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Everything that serving needs is there; 503 with what is missing otherwise."""
        names = list(checks)
        found = await asyncio.gather(*(_answer_of(name, checks[name]) for name in names))
        wrong = {name: answer for name, answer in zip(names, found, strict=True) if answer is not None}
        if closing.asked:
            wrong["process"] = "was asked to stop"
        body = {
            "status": "unready" if wrong else "ready",
            "checks": {name: wrong.get(name, "ok") for name in dict.fromkeys([*names, *wrong])},
        }
        headers = {"Cache-Control": "no-store", **({"Retry-After": "1"} if wrong else {})}
        return JSONResponse(body, status_code=503 if wrong else 200, headers=headers)

    @router.get("/metrics")
    async def metrics_view() -> Response:
        """The numbers, for Prometheus."""
        return Response(metrics.exposition(), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return router
