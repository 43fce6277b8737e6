"""The time, from one place, so that a test can say what time it is.

In the environment `test` a whole installation can live at another time: `TRELLIS_CLOCK_OFFSET_SECONDS` moves the clock
of every process by so much. The machine's own clock still counts for what it is compared with elsewhere: tokens, which
the gateway checks too, and the times of jobs, which the database compares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_frozen_at: ContextVar[datetime | None] = ContextVar("frozen_at", default=None)
_offset = timedelta(0)


def now() -> datetime:
    """The present instant in UTC; the frozen one inside `frozen`."""
    return _frozen_at.get() or datetime.now(UTC) + _offset


def machine_now() -> datetime:
    """The present instant by the machine's clock, wherever ours was moved to."""
    return on_machine(now())


def on_machine(at: datetime) -> datetime:
    """When the machine's clock shows what our clock calls `at`."""
    return at - _offset


def offset() -> timedelta:
    """By how much the clock of this process is moved."""
    return _offset


def move(by: timedelta) -> None:
    """Move the clock of this process. Only settings do this (`TRELLIS_CLOCK_OFFSET_SECONDS`), when it starts."""
    global _offset  # noqa: PLW0603 - one clock for the process
    _offset = by


@contextmanager
def frozen(at: datetime) -> Iterator[datetime]:
    """Stop the clock at an instant for this task and those that it starts.

    Raises ValueError for a time without a zone.
    """
    if at.tzinfo is None:
        raise ValueError("the clock needs a time with a zone")
    at = at.astimezone(UTC)
    token = _frozen_at.set(at)
    try:
        yield at
    finally:
        _frozen_at.reset(token)
