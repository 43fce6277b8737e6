"""The tenants of the demo: two real trusts, from the register (GIAS, Open Government Licence)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """A trust of the demo."""

    group_uid: str
    group_id: str
    """Its TR reference."""
    name: str
    academies: frozenset[int]
    """The URNs of its academies in the files that the demo loads."""


DEMO_TENANTS: Final = (
    DemoTenant(
        "16846",
        "TR03794",
        "Prospere Learning Trust",
        frozenset({135874, 139148, 141805, 142893, 144755, 145845, 145873, 147885}),
    ),
    DemoTenant("3010", "TR02745", "Education and Leadership Trust", frozenset({141196, 141264, 144494})),
)
"""The main one first."""


def demo_academies(group_uid: str) -> frozenset[int] | None:
    """The academies of a trust of the demo; None of another trust."""
    return next((one.academies for one in DEMO_TENANTS if one.group_uid == group_uid), None)
