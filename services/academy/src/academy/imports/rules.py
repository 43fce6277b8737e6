"""Who may load what: published tables are loaded once for everybody, by the platform; a trust's own figures by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from academy.observations.rules import Layer

SENDERS: Final = ("data-manager", "mis-client", "platform-operator")
"""The roles that send files, and so may cancel or take back what they sent."""

WITHDRAW_TASK: Final = "academy.imports.withdraw"


def imports_lock(trust_id: UUID) -> str:
    """The name of the lock under which a tenant's imports follow one another, in the order in which they were sent."""
    return f"import:{trust_id}"


REGISTER_KINDS: Final = frozenset({"gias-establishments", "gias-groups", "gias-group-links", "gias-urn-links"})
"""Kinds of files that overwrite entries of the register. What they replaced isn't kept."""


@dataclass(frozen=True, slots=True)
class Load:
    """What it takes to load files of a layer: the scope, and the roles that have it."""

    scope: str
    roles: tuple[str, ...]


LOADS: Final[Mapping[Layer, Load]] = MappingProxyType(
    {
        Layer.NATIONAL: Load("reference:write", ("platform-operator",)),
        Layer.TRUST: Load("observations:write", ("data-manager", "mis-client")),
    }
)
