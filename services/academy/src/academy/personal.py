"""What the kit's tables hold of people in this service; each slice declares its own."""

from kit.people.kit_tables import (
    EVENTS,
    GRANTS_SEEN,
    HOLDERS_SEEN,
    IDEMPOTENCY_KEYS,
    SHARED_LINKS,
    STATE_CHANGES,
    STORED_FILES,
)

__all__ = [
    "EVENTS",
    "GRANTS_SEEN",
    "HOLDERS_SEEN",
    "IDEMPOTENCY_KEYS",
    "SHARED_LINKS",
    "STATE_CHANGES",
    "STORED_FILES",
]
