"""How many requests a process answers at once, whose turn is next, and when one is refused instead of waiting.

More requests at once than there are database connections only make each of them slower. So a few run, the others wait
briefly, and what hasn't had its turn by then is refused: better than an answer that comes when its reader has gone. A
client that sends a handful at once and waits for nobody but itself has more time.
Turns go from trust to trust and, within a trust, from token to token, so that one of them can neither fill the process
nor the queue. The time counts from when a request came, whatever else it waited for.
Within a token the oldest request is first, unless there are many and it has waited for long: then the oldest will be
refused soon anyway, and the newest go first, so that most answers are quick also then.
A token of which as many wait as ever could have a turn is refused at once, before anything else is looked at: also
refusals take time, and those that run wait for them.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from kit.identity.callers import Caller
from kit.problems import ServiceUnavailable, TooManyRequests

# Half of what an answer may take under overload (300 ms): the other half is for making it.
WAIT_SECONDS = 0.15
# From here on the newest go first, where there are many.
LONG_SECONDS = 0.1
# Where only earlier requests of the same token or trust are in the way, and so few that they are no flood: that is
# nobody else's delay.
OWN_WAIT_SECONDS = 1.0
HANDFUL = 16
# More of one token than this never had a turn in time.
MOST_OF_TOKEN = 32
# Senders that are known to be a flood; forgotten all together, since each is found again by its next request.
MOST_FLOODS = 1024
# Tests run beside others on slow machines, and send many requests of one token at once.
WAIT_SECONDS_IN_TESTS = 1.0
# Those that wait cost little; beyond this many a request is refused at once.
MOST_WAITING = 2048
# Connections that no request takes: for versions of prepared answers, looks at the feed, and readiness.
SPARE_CONNECTIONS = 2
RETRY_AFTER_SECONDS = 1

Leave = Callable[[], None]


class Overloaded(ServiceUnavailable):
    """More requests come than this service can answer."""

    code = "service-unavailable"
    title = "Service unavailable"


class TooManyAtOnce(TooManyRequests):
    """This token, or all tokens of this trust together, have too many requests at once."""

    code = "too-many-requests"
    title = "Too many requests"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose request it is: a trust's, with a token."""

    trust_id: UUID
    token_id: str


def whose(caller: Caller) -> Whose:
    """Whose requests a caller's are counted with."""
    return Whose(caller.tenant_id, caller.token_id)


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """A request that waits, and since when."""

    given: "asyncio.Future[None]"
    since: float


@dataclass(slots=True)
class _Row:
    """The requests of one token that wait, the newest last, and when one of them was refused, by the same clock."""

    turns: list[_Turn] = field(default_factory=list)
    refused_at: float = 0.0


@dataclass(slots=True)
class _Waiting:
    """The requests of one trust that wait, by token."""

    by_token: OrderedDict[str, _Row] = field(default_factory=OrderedDict)


class Capacity:
    """The requests of one process that run and wait."""

    def __init__(self, connections: int, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """For a process with so many database connections; a request waits for `wait_seconds` at most."""
        self.wait_seconds = wait_seconds
        self.most = max(1, connections - SPARE_CONNECTIONS)
        # One trust leaves room for others, one token for others of its trust.
        self._most_of_trust = max(1, self.most // 2)
        self._most_of_token = max(1, self.most // 3)
        self.running = 0
        self.waiting = 0
        self.refused = 0
        self._of_trust: Counter[UUID] = Counter()
        self._of_token: Counter[Whose] = Counter()
        self._queues: OrderedDict[UUID, _Waiting] = OrderedDict()
        self._floods: dict[bytes, Whose] = {}

    def refuse_flood(self, sender: bytes) -> None:
        """Raises TooManyAtOnce when as many requests of this sender wait as may.

        A sender is an Authorization header; only those that `enter` has seen are known.
        """
        one = self._floods.get(sender)
        if one is None:
            return
        if (row := self._row_of(one)) is None or len(row.turns) < MOST_OF_TOKEN:
            del self._floods[sender]
            return
        self.refused += 1
        row.refused_at = time.monotonic()
        raise _too_many()

    async def enter(self, one: Whose, *, since: float | None = None, sender: bytes = b"") -> Leave:
        """Wait for a turn; gives what to call once, when the request is answered.

        `since` is when the request came, by the monotonic clock; `sender` is how `refuse_flood` knows it again. Raises
        Overloaded or TooManyAtOnce when there was no turn in time.
        """
        # Who comes now goes behind those that wait, unless these have reached their own limits.
        if not self._may_run(one):
            await self._wait(one, time.monotonic() if since is None else since, sender)
        else:
            self._begin(one)
        is_running = True

        def leave() -> None:
            nonlocal is_running
            if is_running:
                is_running = False
                self._end(one)

        return leave

    def _may_run(self, one: Whose) -> bool:
        return self.running < self.most and not self._is_at_limit(one)

    def _is_at_limit(self, one: Whose) -> bool:
        return self._of_trust[one.trust_id] >= self._most_of_trust or self._of_token[one] >= self._most_of_token

    def _is_held_by_own(self, one: Whose) -> bool:
        """Are there turns, only none for this trust or token?"""
        return self.running < self.most and self._is_at_limit(one)

    async def _wait(self, one: Whose, since: float, sender: bytes) -> None:
        left = since + self.wait_seconds - time.monotonic()
        if self.waiting >= MOST_WAITING or left <= 0:
            raise self._refusal(one)
        turn = _Turn(asyncio.get_running_loop().create_future(), since)
        row = self._queues.setdefault(one.trust_id, _Waiting()).by_token.setdefault(one.token_id, _Row())
        if len(row.turns) >= MOST_OF_TOKEN:
            self._note_flood(sender, one)
            row.refused_at = time.monotonic()
            self.refused += 1
            raise _too_many()
        row.turns.append(turn)
        is_patient = len(row.turns) <= HANDFUL
        self.waiting += 1
        try:
            await asyncio.wait((turn.given,), timeout=left)
            is_flood = time.monotonic() - row.refused_at < OWN_WAIT_SECONDS
            if is_patient and not is_flood and not turn.given.done() and self._is_held_by_own(one):
                await asyncio.wait((turn.given,), timeout=OWN_WAIT_SECONDS - self.wait_seconds)
            if not turn.given.done():
                raise self._refusal(one)
        except asyncio.CancelledError:
            if turn.given.done():
                # Its turn came as its caller went away.
                self._end(one)
            raise
        finally:
            self.waiting -= 1
            self._forget(one, turn)

    def _row_of(self, one: Whose) -> _Row | None:
        waiting = self._queues.get(one.trust_id)
        return None if waiting is None else waiting.by_token.get(one.token_id)

    def _note_flood(self, sender: bytes, one: Whose) -> None:
        if not sender:
            return
        if len(self._floods) >= MOST_FLOODS:
            self._floods.clear()
        self._floods[sender] = one

    def _forget(self, one: Whose, turn: _Turn) -> None:
        waiting, row = self._queues.get(one.trust_id), self._row_of(one)
        if waiting is None or row is None or turn not in row.turns:
            return
        row.turns.remove(turn)
        if not row.turns:
            del waiting.by_token[one.token_id]
        if not waiting.by_token:
            del self._queues[one.trust_id]

    def _refusal(self, one: Whose) -> Overloaded | TooManyAtOnce:
        self.refused += 1
        if self._is_held_by_own(one):
            return _too_many()
        return Overloaded(
            "More requests come than can be answered at the moment; nothing was done. Try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )

    def _begin(self, one: Whose) -> None:
        self.running += 1
        self._of_trust[one.trust_id] += 1
        self._of_token[one] += 1

    def _end(self, one: Whose) -> None:
        self.running -= 1
        self._of_trust[one.trust_id] -= 1
        if not self._of_trust[one.trust_id]:
            del self._of_trust[one.trust_id]
        self._of_token[one] -= 1
        if not self._of_token[one]:
            del self._of_token[one]
        self._next()

    def _next(self) -> None:
        """Give the turns that are free to those who wait: trust by trust, token by token."""
        while self.running < self.most:
            found = self._first()
            if found is None:
                return
            one, turn = found
            self._forget(one, turn)
            self._begin(one)
            turn.given.set_result(None)
            # The trust, and within it the token, go to the end of the row.
            if (waiting := self._queues.get(one.trust_id)) is not None:
                self._queues.move_to_end(one.trust_id)
                if one.token_id in waiting.by_token:
                    waiting.by_token.move_to_end(one.token_id)

    def _first(self) -> tuple[Whose, _Turn] | None:
        for trust_id, waiting in self._queues.items():
            if self._of_trust[trust_id] >= self._most_of_trust:
                continue
            for token_id, row in waiting.by_token.items():
                one = Whose(trust_id, token_id)
                if self._of_token[one] < self._most_of_token and (turn := _next_of(row.turns)) is not None:
                    return one, turn
        return None


def _too_many() -> TooManyAtOnce:
    return TooManyAtOnce(
        "You have too many requests at once. Send the next one when an earlier one is answered.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _next_of(turns: list[_Turn]) -> _Turn | None:
    """The oldest, or of many the newest when the oldest has waited for long; who is out of time is on its way out."""
    waiting = [turn for turn in turns if not turn.given.done()]
    if not waiting:
        return None
    is_long = len(waiting) > HANDFUL and time.monotonic() - waiting[0].since > LONG_SECONDS
    return waiting[-1] if is_long else waiting[0]
