"""Who may load what: published tables are loaded once for everybody, by the platform; a trust's own figures by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from academy.observations.rules import Layer

SENDERS: Final = ("data-manager", "mis-client", "platform-operator")
"""The roles that send files, and so may cancel or take back what they sent."""

RUN_TASK: Final = "academy.imports.run"
RUN_SMALL_TASK: Final = "academy.imports.run_small"
WITHDRAW_TASK: Final = "academy.imports.withdraw"

SMALL_BYTES: Final = 4 << 20
"""Files that unpack to at most this are read within seconds. They don't wait for a slot behind long ones."""


def run_task(unpacked_bytes: int) -> str:
    """The task that runs the import of a file of this size."""
    return RUN_SMALL_TASK if unpacked_bytes <= SMALL_BYTES else RUN_TASK


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
