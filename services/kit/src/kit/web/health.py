"""Is the process alive, and can it serve? `/healthz`, `/readyz` and `/metrics`, for those who run it."""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from kit.readiness import Check, readiness
from kit.shutdown import Closing
from kit.telemetry.metrics import MEDIA_TYPE, Metrics


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
        body = await readiness(checks, is_stopping=closing.requested)
        is_ready = body["status"] == "ready"
        headers = {"Cache-Control": "no-store", **({} if is_ready else {"Retry-After": "1"})}
        return JSONResponse(body, status_code=200 if is_ready else 503, headers=headers)

    @router.get("/metrics")
    async def metrics_view() -> Response:
        """The numbers, for Prometheus."""
        return Response(metrics.exposition(), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})

    return router
