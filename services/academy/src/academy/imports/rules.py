"""Who may load what: one table of every kind of import, whose data it brings, and who may bring it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Layer(StrEnum):
    """Whose data a kind brings: everybody's (published nationally) or one trust's own."""

    NATIONAL = "national"
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class Load:
    """What it takes to load a kind: the scope, and the roles that are meant to have it."""

    layer: Layer
    scope: str
    roles: frozenset[str]


NATIONAL_LOAD: Final = Load(Layer.NATIONAL, "reference:write", frozenset({"platform-operator"}))
TRUST_LOAD: Final = Load(Layer.TRUST, "observations:write", frozenset({"data-manager", "mis-client"}))

LOADS: Final[Mapping[str, Load]] = MappingProxyType(
    {
        "gias-establishments": NATIONAL_LOAD,
        "gias-groups": NATIONAL_LOAD,
        "gias-group-links": NATIONAL_LOAD,
        "gias-urn-links": NATIONAL_LOAD,
        "dfe-ks4": NATIONAL_LOAD,
        "dfe-ks2": NATIONAL_LOAD,
        "dfe-school-profiles": NATIONAL_LOAD,
        "dfe-absence": NATIONAL_LOAD,
        "dfe-attendance": NATIONAL_LOAD,
        "dfe-census": NATIONAL_LOAD,
        "ofsted-inspections": NATIONAL_LOAD,
        "observations": TRUST_LOAD,
    }
)
"""Every kind of import. Published tables are loaded once for everybody, by the platform; a trust's own
figures by the trust."""


def may_load(kind: str, roles: frozenset[str]) -> bool:
    """True when one of these roles may load this kind. Raises KeyError for an unknown kind."""
    return not LOADS[kind].roles.isdisjoint(roles)
