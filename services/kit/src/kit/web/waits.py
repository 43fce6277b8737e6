"""How many requests may wait for events at once: so many of one token, and so many of one trust."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from kit.identity.callers import Caller
from kit.problems import TooManyRequests
from kit.settings import ServiceSettings

RETRY_AFTER_SECONDS = 5


class TooManyWaiting(TooManyRequests):
    """This token, or all tokens of this trust together, have too many requests that wait for events."""

    code = "too-many-requests"
    title = "Too many requests"


class Waits:
    """The requests of one process that wait for events."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._of_token = settings.limit_waiting_per_token
        self._of_trust = settings.limit_waiting_per_trust
        self._waiting: Counter[str | UUID] = Counter()

    @property
    def count(self) -> int:
        """How many wait at present."""
        return sum(self._waiting.values()) // 2

    def begin(self, caller: Caller) -> Callable[[], None]:
        """One more waits; gives what to call once, when it has ended. Raises TooManyWaiting."""
        token, trust = f"token:{caller.token_id}", caller.tenant_id
        if self._waiting[token] >= self._of_token:
            raise _too_many("this token", self._of_token)
        if self._waiting[trust] >= self._of_trust:
            raise _too_many("this trust", self._of_trust)
        self._waiting.update((token, trust))

        def end() -> None:
            self._waiting.subtract((token, trust))
            for one in (token, trust):
                if self._waiting[one] <= 0:
                    del self._waiting[one]

        return end


def _too_many(whose: str, limit: int) -> TooManyWaiting:
    return TooManyWaiting(
        f"There are already {limit} requests of {whose} that wait for events, and no more may wait at once. End one of "
        "them, or read without `wait`.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
