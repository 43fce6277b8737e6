"""How long a call may take, how often it is tried, and how long it waits in between."""

import random
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from kit import clock

RETRIED = frozenset({429, 502, 503, 504})
"""Answers after which the same request may well succeed a moment later."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds; the whole call ends after `deadline`, however often it was tried."""

    deadline: float = 10.0
    connect: float = 2.0
    tries: int = 3
    first_pause: float = 0.1
    longest_pause: float = 2.0

    def pause(self, tries: int) -> float:
        """How long to wait after this many failures: doubling, and between half and all of it at random.

        So that callers who failed together don't come back together.
        """
        longest: float = min(self.first_pause * 2 ** (tries - 1), self.longest_pause)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def retry_after(value: str | None) -> float | None:
    """The seconds in a `Retry-After` header (a number or a date); None when there is none that can be read."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - clock.now()).total_seconds())
