"""A worker's `/healthz`, `/readyz` and `/metrics`, on a Unix socket: it has no other way to be reached.

Plain ASGI on the services' own server: a worker that loaded FastAPI for three fixed answers would be 10 MB larger.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from kit.events.followers import Followers
from kit.readiness import Check, readiness
from kit.telemetry.loop_lag import measuring_loop_lag
from kit.telemetry.metrics import MEDIA_TYPE, Metrics

Message = MutableMapping[str, Any]
JSON = "application/json"


class _Server(uvicorn.Server):
    """Leaves signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


class _Health:
    """The ASGI application: three GETs, and 404 for everything else."""

    def __init__(self, checks: Mapping[str, Check], metrics: Metrics, followers: Followers | None) -> None:
        self._checks = checks
        self._metrics = metrics
        self._followers = followers

    async def __call__(
        self, scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        status, media_type, body = await self._response(scope["method"], scope["path"])
        headers = [(b"content-type", media_type.encode()), (b"cache-control", b"no-store")]
        headers.append((b"content-length", str(len(body)).encode()))
        if status == 503:
            headers.append((b"retry-after", b"1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _response(self, method: str, path: str) -> tuple[int, str, bytes]:
        if method == "GET" and path == "/healthz":
            return 200, JSON, b'{"status":"alive"}'
        if method == "GET" and path == "/readyz":
            body = await readiness(self._checks)
            if self._followers is not None:
                body["followers"] = self._followers.details()
            return 200 if body["status"] == "ready" else 503, JSON, orjson.dumps(body)
        if method == "GET" and path == "/metrics":
            return 200, MEDIA_TYPE, self._metrics.exposition()
        return 404, JSON, b'{"status":"not found"}'


@asynccontextmanager
async def serving_health(
    name: str, socket: Path, checks: Mapping[str, Check], *, followers: Followers | None = None
) -> AsyncIterator[None]:
    """Inside the block, the health of the worker `name` can be read on the socket, and how far its followers are."""
    metrics = Metrics(name)
    if followers is not None:
        metrics.registry.register(followers.collector)
    config = uvicorn.Config(
        _Health(checks, metrics, followers),
        uds=str(socket),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(), name="worker health")
    try:
        async with measuring_loop_lag(metrics):
            yield
    finally:
        server.should_exit = True
        await serving
