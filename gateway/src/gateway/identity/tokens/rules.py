"""How long failures are answered with pauses, which scopes a token gets, and how long it lives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

FORGOTTEN_AFTER: Final = timedelta(hours=1)


class AttemptKind(StrEnum):
    """Whose failures are counted together."""

    CLIENT_AT_ADDRESS = "client-at-address"
    ADDRESS = "address"
    EXCHANGE_AT_ADDRESS = "exchange-at-address"
    """ID tokens that one client brought from one address."""


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """How many failures are free, and how long the pause after further ones can become."""

    free: int
    longest_seconds: int


# A pause is for further failures only: what proves itself never waits, so nobody can lock anybody out. A secret of 256
# bits isn't found by guessing from many addresses.
FAILURE_LIMITS: Final[Mapping[AttemptKind, FailureLimit]] = MappingProxyType(
    {
        AttemptKind.CLIENT_AT_ADDRESS: FailureLimit(5, 900),
        AttemptKind.ADDRESS: FailureLimit(30, 300),
        AttemptKind.EXCHANGE_AT_ADDRESS: FailureLimit(30, 60),
    }
)


def pause_seconds(kind: AttemptKind, failures: int) -> int:
    """How long to wait after this many failures in a row: nothing at first, then 1, 2, 4, ... seconds."""
    limit = FAILURE_LIMITS[kind]
    over = failures - limit.free
    if over < 0:
        return 0
    # 2 ** 30 seconds are longer than any longest pause.
    return int(min(2 ** min(over, 30), limit.longest_seconds))


def wanted_scopes(wanted: str | None, held: frozenset[str], known: frozenset[str]) -> frozenset[str] | str:
    """The scopes of a token: all that are held, or those that were asked for.

    Gives a sentence instead when one that was asked for doesn't exist or isn't held.
    """
    if wanted is None:
        return held
    names = frozenset(wanted.split(" ")) - {""}
    if unknown := sorted(names - known):
        return f"There is no scope {unknown[0][:80]!a}."
    if missing := sorted(names - held):
        return f"The roles of this view don't give {' '.join(missing)}."
    return names or "Name a scope, or leave scope out."


def expires_at(now: datetime, life: timedelta, ends_at: datetime | None) -> datetime:
    """When a token made now expires: after its life, or when the grant ends if that comes first."""
    return now + life if ends_at is None else min(now + life, ends_at)
