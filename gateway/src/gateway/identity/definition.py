"""What identity is made of. A new slice is added to the tuple, and found by the names of its files."""

from typing import Final

from kit.definition import ServiceDefinition

IDENTITY: Final = ServiceDefinition(
    "identity",
    package="gateway.identity",
    slices=("tokens", "clients", "people", "grants", "tenants", "me", "names", "keys"),
    title="Trellis identity",
    description="""
    Who may do what where: tokens for machines and people, the keys that sign them, and the grants behind them.

    Every other service trusts tokens from here, and checks each one itself.
    """,
)
