"""What the layers of a service hand each other about one request."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from starlette.types import Scope

from kit.identity.callers import Caller
from kit.problems import FieldError
from kit.web.operation import Operation

_KEY = "trellis"


def _nothing() -> None:
    """It never had a turn."""


@dataclass(slots=True)
class Exchange:
    """One request: its id, its operation, what is wrong with its query, who is asking, and what went wrong."""

    request_id: str = "none"
    operation: Operation | None = None
    query_errors: Sequence[FieldError] = ()
    caller: Caller | None = None
    problem_code: str | None = None
    admitted_at: float = field(default_factory=time.monotonic)
    """When all of it was there and it was let in, by the monotonic clock."""
    may_be_kept: bool = True
    """False for an answer that another request shouldn't get, though its operation's answers are kept."""
    leave: Callable[[], None] = _nothing
    """Gives back the turn of `kit.web.capacity`; called when the answer begins, or before a long sleep."""
    release: Callable[[], None] = _nothing
    """Lets those go on who wait for this answer to be kept."""
    at_end: list[Callable[[], None]] = field(default_factory=list)
    """Called when the request has ended, whether it was answered or its caller went away."""

    def keep_nothing(self) -> None:
        """Another request shouldn't get this answer, and none may wait for it."""
        self.may_be_kept = False
        self.release()


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a request's scope belongs to; it begins with the first look."""
    exchange: Exchange = scope.setdefault(_KEY, Exchange())
    return exchange
