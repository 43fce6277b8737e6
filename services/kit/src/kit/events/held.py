"""A role that somebody holds, as plain values: for rules, which know no database."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that somebody holds: of the whole trust, of some of its academies, or of projects."""

    holder: str
    role: str
    extent: str
    academies: frozenset[int]
