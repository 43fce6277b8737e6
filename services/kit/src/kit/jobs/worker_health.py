"""A worker's `/healthz`, `/readyz` and `/metrics`, on a Unix socket: it has no other door to be asked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from kit.shutdown import Closing
from kit.telemetry.metrics import Metrics
from kit.web.health import Check, health_router


class _Server(uvicorn.Server):
    """Leaves signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


@asynccontextmanager
async def telling_health(name: str, socket: Path, checks: Mapping[str, Check]) -> AsyncIterator[None]:
    """Inside the block, whoever may open the socket is told how the worker `name` is."""
    app = FastAPI(openapi_url=None)
    app.include_router(health_router(checks, Metrics(name), Closing()))
    config = uvicorn.Config(
        app, uds=str(socket), lifespan="off", ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(), name="worker health")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
