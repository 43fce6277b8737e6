"""The time, from one place, so that a test can say what time it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_frozen_at: ContextVar[datetime | None] = ContextVar("frozen_at", default=None)


def now() -> datetime:
    """The present instant in UTC; the frozen one inside `frozen`."""
    return _frozen_at.get() or datetime.now(UTC)


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
