"""Which key signs, and which are published: decisions over instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TOKEN_LIFE: Final = timedelta(minutes=10)
PUBLISHED_BEFORE_USE: Final = timedelta(minutes=2)
# Processes that sign while their clocks differ a little.
MARGIN: Final = timedelta(minutes=1)
FORGOTTEN_AFTER: Final = timedelta(days=90)


class KeyState(StrEnum):
    """Where a key is in its life."""

    STANDBY = "standby"
    PENDING = "pending"
    SIGNING = "signing"
    VERIFYING = "verifying"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyLife:
    """The instants of one key."""

    kid: str
    published_at: datetime
    signs_from: datetime | None
    revoked_at: datetime | None = None

    @property
    def ever_signed_from(self) -> datetime | None:
        """When it began to sign; None for a standby and for one that was revoked before it began."""
        if self.signs_from is None or (self.revoked_at is not None and self.revoked_at < self.signs_from):
            return None
        return self.signs_from


def signs_until(key: KeyLife, keys: Sequence[KeyLife]) -> datetime | None:
    """When a later key takes over; None when none will."""
    if key.signs_from is None:
        return None
    later = (other.ever_signed_from for other in keys if other.kid != key.kid)
    return min((start for start in later if start is not None and start > key.signs_from), default=None)


def state_of(key: KeyLife, keys: Sequence[KeyLife], now: datetime) -> KeyState:
    """The state of one of these keys at an instant."""
    if key.revoked_at is not None:
        return KeyState.REVOKED
    if key.signs_from is None:
        return KeyState.STANDBY
    if key.signs_from > now:
        return KeyState.PENDING
    until = signs_until(key, keys)
    if until is None or until > now:
        return KeyState.SIGNING
    return KeyState.VERIFYING if now < until + TOKEN_LIFE + MARGIN else KeyState.RETIRED


def in_state(keys: Sequence[KeyLife], now: datetime, *states: KeyState) -> list[KeyLife]:
    """The keys in one of these states, those published first first."""
    found = [key for key in keys if state_of(key, keys, now) in states]
    return sorted(found, key=lambda key: (key.published_at, key.kid))


def published(keys: Sequence[KeyLife], now: datetime) -> list[KeyLife]:
    """The keys that verifiers must know now."""
    return in_state(keys, now, KeyState.STANDBY, KeyState.PENDING, KeyState.SIGNING, KeyState.VERIFYING)


def signing(keys: Sequence[KeyLife], now: datetime) -> KeyLife | None:
    """The key that signs now; None when there is none (a new installation, or after its revocation)."""
    found = in_state(keys, now, KeyState.SIGNING)
    return found[-1] if found else None


def rotation_start(standby: KeyLife, keys: Sequence[KeyLife], now: datetime) -> datetime:
    """When the standby may begin to sign: known to all verifiers by then, and after every other."""
    starts = [key.signs_from + timedelta(milliseconds=1) for key in keys if key.signs_from is not None]
    return max([now, standby.published_at + PUBLISHED_BEFORE_USE, *starts])


def successor(keys: Sequence[KeyLife], now: datetime) -> KeyLife | None:
    """Which key takes over at once when the signing one is revoked: the one that was published first."""
    waiting = in_state(keys, now, KeyState.STANDBY, KeyState.PENDING)
    return waiting[0] if waiting else None
