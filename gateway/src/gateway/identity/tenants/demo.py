"""The tenants of the demo: two real trusts, from the register (GIAS, Open Government Licence)."""

from collections.abc import Mapping
from typing import Final

DEMO_TENANTS: Final = (
    ("16846", "TR03794", "Prospere Learning Trust"),
    ("3010", "TR02745", "Education and Leadership Trust"),
)
"""Group UID, TR reference and name; the main one first."""

DEMO_ACADEMIES: Final[Mapping[str, frozenset[int]]] = {
    "16846": frozenset({135874, 139148, 141805, 142893, 144755, 145845, 145873, 147885}),
    "3010": frozenset({141196, 141264, 144494}),
}
"""The academies of the demo trusts in the files that the demo loads, by Group UID."""
