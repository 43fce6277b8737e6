"""A table as it is published: some counts shown, others hidden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kit.disclosure.tables import Cell, Sum


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What readers get: the counts that are shown, which cells are hidden, and which cells add up to which.

    `known` are the cells that readers knew before. `small` says why a cell is hidden. It is for the audit only and must
    not be published: one symbol for all hidden cells is what readers see.
    """

    shown: Mapping[Cell, int]
    hidden: frozenset[Cell]
    sums: tuple[Sum, ...]
    small: frozenset[Cell] = field(repr=False)
    known: frozenset[Cell] = frozenset()

    def count(self, where: Cell) -> int | None:
        """The count of a cell; None when it is hidden. Raises KeyError for a cell that isn't in the table."""
        return None if where in self.hidden else self.shown[where]
