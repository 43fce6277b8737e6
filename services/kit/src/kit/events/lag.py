"""How far behind followers are: for Prometheus, and for `/readyz`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kit import clock
from kit.events.progress import Place

LABELS = ("service", "source", "consumer")


@dataclass(slots=True)
class Lag:
    """What one process knows of one follower."""

    place: Place
    is_active: bool = False
    """Whether this process runs it, and not another."""
    behind_since: datetime | None = None
    """Everything up to then was applied; None: everything was, when the source was last asked."""
    events: int = 0
    failures: int = 0
    is_rebuilding: bool = False
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How far it is behind; 0 in a process that doesn't run it."""
        if not self.is_active or self.behind_since is None:
            return 0.0
        return max(0.0, (clock.now() - self.behind_since).total_seconds())

    def caught_up(self) -> None:
        """The source has nothing more at present."""
        self.behind_since = None
        self.problem = ""

    def behind(self, since: datetime | None) -> None:
        """There is more: everything up to `since` was applied."""
        self.behind_since = since or self.behind_since or clock.now()
        self.problem = ""

    def failed(self, problem: str) -> None:
        """The source, or the database, can't be reached, or an event can't be applied."""
        self.failures += 1
        self.problem = problem
        self.behind_since = self.behind_since or clock.now()


class LagCollector(Collector):
    """The numbers of the followers of one process."""

    def __init__(self, service: str, lags: Iterable[Lag]) -> None:
        self._service = service
        self._lags = tuple(lags)

    def collect(self) -> Iterator[Metric]:
        """As they are now."""
        seconds = GaugeMetricFamily(
            "trellis_follower_lag_seconds", "How far a follower is behind its source.", labels=LABELS
        )
        active = GaugeMetricFamily(
            "trellis_follower_active", "1 in the process that runs the follower, 0 in those that wait.", labels=LABELS
        )
        events = CounterMetricFamily("trellis_follower_events", "Events that a follower applied.", labels=LABELS)
        failures = CounterMetricFamily(
            "trellis_follower_failures", "Pages that a follower couldn't apply.", labels=LABELS
        )
        for lag in self._lags:
            values = [self._service, lag.place.source, lag.place.consumer]
            seconds.add_metric(values, lag.seconds)
            active.add_metric(values, float(lag.is_active))
            events.add_metric(values, lag.events)
            failures.add_metric(values, lag.failures)
        yield from (seconds, active, events, failures)


def described(lags: Iterable[Lag]) -> dict[str, dict[str, object]]:
    """The same for `/readyz`, by source and consumer."""
    return {
        str(lag.place): {
            "is_active": lag.is_active,
            "lag_seconds": round(lag.seconds, 1),
            "events": lag.events,
            "is_rebuilding": lag.is_rebuilding,
            "problem": lag.problem or None,
        }
        for lag in lags
    }
