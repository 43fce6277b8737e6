"""What can go wrong with a call: each error names the service that was called.

All are problems, so that a route lists those that it lets through (`responses(*CALL_PROBLEMS)`); a use case that
knows better catches `CallFailed` or one of its kinds.
"""

from collections.abc import Mapping
from typing import Any

from kit.calls.declared import Call
from kit.problems import Conflict, Forbidden, Gone, InternalError, NotFound, Problem, ServiceUnavailable, Unauthorized


class CallFailed(Problem):
    """A call to another service failed."""

    def __init__(
        self,
        call: Call[Any],
        detail: str,
        *,
        callee_status: int | None = None,
        callee_code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`callee_status` and `callee_code` are those of its answer, None when there was none."""
        super().__init__(f"{call.callee}: {detail}", headers=headers, callee=call.callee, callee_code=callee_code)
        self.callee = call.callee
        self.operation = call.operation
        self.callee_status = callee_status
        self.callee_code = callee_code


class CalleeNotFound(CallFailed, NotFound):
    """The other service has no such thing that this caller may see."""


class CalleeForbids(CallFailed, Forbidden):
    """The other service doesn't let this caller do it."""


class CalleeUnauthorized(CallFailed, Unauthorized):
    """The other service doesn't accept the token, or identity gives none."""


class CalleeConflict(CallFailed, Conflict):
    """It contradicts what the other service has stored."""


class CalleeGone(CallFailed, Gone):
    """The other service gives it out no longer."""


class CalleeUnavailable(CallFailed, ServiceUnavailable):
    """The other service can't be reached or can't answer now; nothing was changed here."""


class CalleeRefused(CallFailed, InternalError):
    """The other service refuses the request as we made it: a fault of ours."""


class CalleeAnswerUnreadable(CallFailed, InternalError):
    """The answer of the other service isn't what its contract says: a fault of ours."""


CALL_PROBLEMS: tuple[type[CallFailed], ...] = (
    CalleeNotFound,
    CalleeForbids,
    CalleeUnauthorized,
    CalleeConflict,
    CalleeGone,
    CalleeUnavailable,
    CalleeRefused,
    CalleeAnswerUnreadable,
)
"""Everything that a call can end in, for `responses(...)` of a route that makes one."""

_BY_STATUS: Mapping[int, type[CallFailed]] = {
    401: CalleeUnauthorized,
    403: CalleeForbids,
    404: CalleeNotFound,
    409: CalleeConflict,
    410: CalleeGone,
    412: CalleeConflict,
    429: CalleeUnavailable,
}


def kind_of(status: int) -> type[CallFailed]:
    """The error for an answer with this status."""
    if status >= 500:
        return CalleeUnavailable
    return _BY_STATUS.get(status, CalleeRefused if status >= 400 else CalleeAnswerUnreadable)
