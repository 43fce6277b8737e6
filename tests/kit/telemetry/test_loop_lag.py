"""The lag of the event loop, as it is measured."""

import asyncio
import time

from kit.telemetry.loop_lag import INTERVAL_SECONDS, measuring_loop_lag
from kit.telemetry.metrics import Metrics
from tests.kit.telemetry.test_metrics import samples
from tests.support.jobs import until

BLOCKED_SECONDS = 0.3
LABELS = ("service", "sample")


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """One sample of the lag."""
    found = samples(metrics.exposition().decode(), f"trellis_event_loop_lag_seconds_{name}")
    return found[tuple(sorted([LABELS, *labels.items()]))]


async def test_what_holds_the_loop_is_seen() -> None:
    metrics = Metrics("sample")
    async with measuring_loop_lag(metrics):
        await until(lambda: value(metrics, "count") >= 1)
        before = value(metrics, "sum")
        time.sleep(INTERVAL_SECONDS + BLOCKED_SECONDS)  # noqa: ASYNC251 - this is what is measured
        await until(lambda: value(metrics, "sum") >= before + BLOCKED_SECONDS - 0.01)
    assert value(metrics, "count") - value(metrics, "bucket", le="0.25") >= 1


def measuring() -> set["asyncio.Task[None]"]:
    """The tasks that measure; services of other tests may run on this loop."""
    return {task for task in asyncio.all_tasks() if task.get_name() == "measure loop lag"}


async def test_measuring_ends_with_the_block() -> None:
    metrics = Metrics("sample")
    before = measuring()
    async with measuring_loop_lag(metrics):
        await until(lambda: value(metrics, "count") >= 1)
        assert len(measuring() - before) == 1
    assert not measuring() - before
