"""The tenants of the demo: two real trusts, from the register (GIAS, Open Government Licence)."""

from typing import Final

DEMO_TENANTS: Final = (
    ("16846", "TR03794", "Prospere Learning Trust"),
    ("3010", "TR02745", "Education and Leadership Trust"),
)
"""Group UID, TR reference and name; the main one first."""
