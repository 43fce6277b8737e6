"""Counting failed attempts, in the database, so that a restart forgives nothing.

The proof is looked at first and a right one is always taken: a pause is the answer to a further failure, never to who
proves who they are (ADR 0089).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, tuple_
from sqlmodel import col

from gateway.identity.tables import FailedAttempt
from gateway.identity.tokens.errors import TooManyAttempts
from gateway.identity.tokens.rules import FORGOTTEN_AFTER, AttemptKind, pause_seconds
from kit import clock
from kit.database.sessions import Session
from kit.secrets.digests import Digests


@dataclass(frozen=True, slots=True)
class Counter:
    """One count: of a client at an address, say. It holds no address, only keyed digests of it, one for each secret
    key, newest first: counted is under the newest, found under all.
    """

    kind: AttemptKind
    digests: list[bytes]


def client_counters(digests: Digests, client_id: str, address: str) -> list[Counter]:
    """What is counted when a client fails to prove who it is."""
    return [
        Counter(AttemptKind.ADDRESS, digests.every("attempt", address)),
        Counter(AttemptKind.CLIENT_AT_ADDRESS, digests.every("attempt", client_id, address)),
    ]


def exchange_counters(digests: Digests, client_id: str, address: str) -> list[Counter]:
    """What is counted when an ID token doesn't count."""
    return [Counter(AttemptKind.EXCHANGE_AT_ADDRESS, digests.every("attempt", client_id, address))]


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of earlier failures before a proof is looked at."""

    failed_lately: bool
    blocked_until: datetime | None


async def standing(session: Session, counters: Sequence[Counter]) -> Standing:
    """What the counters say now."""
    keys = [(counter.kind.value, digest) for counter in counters for digest in counter.digests]
    statement = select(col(FailedAttempt.blocked_until)).where(
        tuple_(col(FailedAttempt.kind), col(FailedAttempt.digest)).in_(keys)
    )
    found = list((await session.execute(statement)).scalars())
    return Standing(bool(found), max(found, default=None))


async def note_failure(session: Session, counters: Sequence[Counter], before: Standing) -> None:
    """Count a failure. Raises TooManyAttempts, and writes nothing, while one of the counts asks for a pause."""
    now = clock.now()
    if before.blocked_until is not None and before.blocked_until > now:
        raise TooManyAttempts(math.ceil((before.blocked_until - now).total_seconds()))
    await _count(session, counters, now)


_COUNT = text(
    """
    insert into failed_attempt as f (kind, digest, failures, last_failed_at, blocked_until)
    values (:kind, :digest, 1, :now, :now)
    on conflict (kind, digest) do update set
        failures = case when f.last_failed_at < :forgotten then 1 else f.failures + 1 end,
        last_failed_at = excluded.last_failed_at
    returning failures
    """
)
# Counts under a secret key that was replaced go on under the newest.
_MOVE = text(
    """
    with moved as (
        delete from failed_attempt where kind = :kind and digest = any(:older)
        returning failures, last_failed_at, blocked_until
    )
    insert into failed_attempt as f (kind, digest, failures, last_failed_at, blocked_until)
    select :kind, :digest, max(failures), max(last_failed_at), max(blocked_until) from moved having count(*) > 0
    on conflict (kind, digest) do update set
        failures = greatest(f.failures, excluded.failures),
        last_failed_at = greatest(f.last_failed_at, excluded.last_failed_at),
        blocked_until = greatest(f.blocked_until, excluded.blocked_until)
    """
)
# A few at a time, so that no request waits for a long deletion; rows in use are left for the next time.
# Materialized: some plans would choose other rows again for each row of the join.
FORGOTTEN_AT_ONCE = 100
_FORGET = text(
    """
    with old as materialized (
        select kind, digest from failed_attempt where last_failed_at < :forgotten
        limit :most for update skip locked
    )
    delete from failed_attempt f using old where f.kind = old.kind and f.digest = old.digest
    """
)
_BLOCK = text("update failed_attempt set blocked_until = :until where kind = :kind and digest = :digest")


async def _count(session: Session, counters: Sequence[Counter], now: datetime) -> None:
    """Count one more failure, and ask for a pause when there were too many."""
    # Always in one order, so that two requests never wait for each other.
    for counter in sorted(counters, key=lambda counter: counter.kind):
        newest, *older = counter.digests
        key = {"kind": counter.kind.value, "digest": newest}
        if older:
            await session.execute(_MOVE, {**key, "older": older})
        failures = (await session.execute(_COUNT, {**key, "now": now, "forgotten": now - FORGOTTEN_AFTER})).scalar_one()
        pause = pause_seconds(counter.kind, failures)
        if pause:
            await session.execute(_BLOCK, {**key, "until": now + timedelta(seconds=pause)})
    # The one place that forgets: a failure adds two rows at most and removes many more.
    await session.execute(_FORGET, {"forgotten": now - FORGOTTEN_AFTER, "most": FORGOTTEN_AT_ONCE})


async def forgive(session: Session, counters: Sequence[Counter]) -> None:
    """The client proved who it is at this address: its failures there don't count any more.

    Those of the address as a whole do: they may be a stranger's.
    """
    here = [counter for counter in counters if counter.kind is AttemptKind.CLIENT_AT_ADDRESS]
    digests = [digest for counter in here for digest in counter.digests]
    await session.execute(
        delete(FailedAttempt).where(
            col(FailedAttempt.kind) == AttemptKind.CLIENT_AT_ADDRESS.value,
            col(FailedAttempt.digest).in_(digests),
        )
    )
