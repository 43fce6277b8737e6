"""What a service counts, for Prometheus. Labels are route templates and statuses, never ids."""

import time
from collections.abc import Iterable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# What doesn't belong to any operation shares one label, so that nobody can make up new ones.
NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class _Prepared(Collector):
    """Answers given out of memory; counted as plain numbers, since that path must cost next to nothing."""

    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """The counts so far."""
        family = CounterMetricFamily(
            "trellis_prepared_answers", "Answers to polled reads by where they came from.", labels=["outcome"]
        )
        for outcome, count in list(self._counts.items()):
            family.add_metric([outcome], count)
        yield family


class Waiting(Protocol):
    """Requests that run and wait."""

    @property
    def running(self) -> int:
        """How many run."""

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""

    @property
    def refused(self) -> int:
        """How many had no turn in time, since the start."""


class _Turns(Collector):
    """Requests that run, wait for a turn, and had none."""

    def __init__(self, service: str, requests: Waiting) -> None:
        self._service = service
        self._requests = requests

    def collect(self) -> Iterable[Metric]:
        """As they are now."""
        family = GaugeMetricFamily(
            "trellis_http_requests_turns", "Requests that run and that wait for a turn.", labels=["service", "state"]
        )
        family.add_metric([self._service, "running"], self._requests.running)
        family.add_metric([self._service, "waiting"], self._requests.waiting)
        yield family
        refused = CounterMetricFamily(
            "trellis_http_requests_refused", "Requests that had no turn in time (429, 503).", labels=["service"]
        )
        refused.add_metric([self._service], self._requests.refused)
        yield refused


class Metrics:
    """The numbers of one service in one process."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._seconds = Histogram(
            "trellis_http_request_duration_seconds",
            "Time from the request to the end of its answer.",
            ["service", "method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._running = Gauge(
            "trellis_http_requests_running",
            "Requests that are being answered.",
            ["service"],
            registry=self.registry,
        ).labels(service)
        self._problems = Counter(
            "trellis_http_problems",
            "Requests that ended in a problem, by its code.",
            ["service", "route", "code"],
            registry=self.registry,
        )
        # Filled by `kit.telemetry.loop_lag`.
        self.loop_lag = Histogram(
            "trellis_event_loop_lag_seconds",
            "How much later than due the event loop came back to a waiting task.",
            ["service"],
            buckets=LAG_SECONDS,
            registry=self.registry,
        ).labels(service)
        self.prepared: dict[str, int] = {"hit": 0, "not_modified": 0, "made": 0}
        self.registry.register(_Prepared(self.prepared))
        self._service = service
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def watch(self, requests: Waiting) -> None:
        """Count also the requests that wait for a turn."""
        self.registry.register(_Turns(self._service, requests))

    def begin(self) -> float:
        """A request begins; gives the time to end it with."""
        self._running.inc()
        return time.perf_counter()

    def end(self, began: float, method: str, route: str, status: int) -> float:
        """A request ended; gives how many seconds it took."""
        self._running.dec()
        seconds = time.perf_counter() - began
        self.observe(method, route, status, seconds)
        return seconds

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (method if method in METHODS else "other", route, status)
        child = self._children.get(key)
        if child is None:
            child = self._seconds.labels(self._service, key[0], route, str(status))
            self._children[key] = child
        child.observe(seconds)

    def problem(self, route: str, code: str) -> None:
        """Count one problem."""
        self._problems.labels(self._service, route, code).inc()

    def exposition(self) -> bytes:
        """All numbers as Prometheus reads them."""
        return generate_latest(self.registry)
