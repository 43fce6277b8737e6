"""What the kit's tables hold of people in this service."""

from kit.people.kit_tables import (
    EVENTS,
    GRANTS_SEEN,
    HOLDERS_SEEN,
    IDEMPOTENCY_KEYS,
    STATE_CHANGES,
)

__all__ = [
    "EVENTS",
    "GRANTS_SEEN",
    "HOLDERS_SEEN",
    "IDEMPOTENCY_KEYS",
    "STATE_CHANGES",
]
