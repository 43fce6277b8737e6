"""Identifiers: new ones that sort by time, and those that services agree on without asking each other."""

import secrets
import time
from uuid import UUID, uuid5

# Fixed for ever: every service derives the same id of a trust from it.
NAMESPACE = UUID("6f1c1f6e-2f0b-5d0e-9a56-1d2b7a3c9e41")

# The time must never run backwards within one process, or ids made in a row would not sort.
_last_milliseconds = 0
_last_counter = 0
_COUNTER_BITS = 12


def uuid7() -> UUID:
    """A new id (RFC 9562, version 7). Ids made by one process sort in the order of their making."""
    global _last_counter, _last_milliseconds  # noqa: PLW0603 - the order belongs to the process
    milliseconds = time.time_ns() // 1_000_000
    if milliseconds > _last_milliseconds:
        _last_milliseconds = milliseconds
        # Half of the range stays free to count up in.
        _last_counter = secrets.randbits(_COUNTER_BITS - 1)
    else:
        _last_counter += 1
        if _last_counter >> _COUNTER_BITS:
            _last_milliseconds += 1
            _last_counter = secrets.randbits(_COUNTER_BITS - 1)
    value = (_last_milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | _last_counter << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def tenant_id(name: str) -> UUID:
    """The id of a tenant by its name in a public register, such as `gias-group:16846`."""
    return uuid5(NAMESPACE, name)


# Under this id lies what callers without a trust of their own make: imports, keys, events.
PLATFORM = tenant_id("platform")
