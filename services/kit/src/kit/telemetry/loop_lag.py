"""How late the event loop is: for so long every request of the process waited for something that didn't let go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import Histogram

from kit.telemetry.metrics import Metrics

INTERVAL_SECONDS: Final = 0.1


@asynccontextmanager
async def measuring_loop_lag(metrics: Metrics) -> AsyncIterator[None]:
    """Inside the block the lag of the running loop is measured ten times a second.

    `trellis_event_loop_lag_seconds` counts by how much each wait of 0.1 s was too long.
    """
    measuring = asyncio.create_task(_measure(metrics.loop_lag), name="measure loop lag")
    try:
        yield
    finally:
        measuring.cancel()
        await asyncio.wait({measuring})


async def _measure(lag: Histogram) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_SECONDS
        await asyncio.sleep(INTERVAL_SECONDS)
        lag.observe(max(loop.time() - due, 0.0))
