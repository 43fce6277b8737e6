"""Working hidden counts out again: linear programmes that find how low and how high each may be.

An attacker has one equation per sum and bounds per hidden cell (`rules.Knowledge`). Lowest and highest of each hidden
cell come from linear programmes, and from whole-number programmes where a linear one doesn't end in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from kit.disclosure.errors import SolverFailed
from kit.disclosure.published import PublishedTable
from kit.disclosure.rules import Knowledge, SuppressionRule
from kit.disclosure.tables import Cell, Sum

Vector = npt.NDArray[np.float64]

TOLERANCE: Final = 1e-6
_UNBOUNDED: Final = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """How high a sum of weighted cells can be, the counts with which it is, and each cell's price: how much one more
    of its freedom would change the result. Without counts when there is no highest."""

    highest: float
    counts: Vector | None
    prices: Vector

    @property
    def is_whole(self) -> bool:
        """Are the counts whole numbers, so that the result can really come about?"""
        return self.counts is None or bool(np.all(np.abs(self.counts - np.rint(self.counts)) < TOLERANCE))


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest that a hidden count can be; `highest` is None when nothing bounds it."""

    lowest: int
    highest: int | None

    @property
    def span(self) -> float:
        """How far the highest is above the lowest; infinite when nothing bounds it."""
        return math.inf if self.highest is None else self.highest - self.lowest


class Attack:
    """Everything that an attacker knows of a table, as equations and bounds over its cells in order."""

    def __init__(self, sums: Vector, lower: Vector, upper: Vector) -> None:
        self._sums, self._zeros = sums, np.zeros(sums.shape[0])
        self._bounds = list(zip(lower.tolist(), upper.tolist(), strict=True))
        self._cells = len(self._bounds)

    def reach(self, place: int, direction: int) -> Reach:
        """How far the count at this place can go, up (1) or down (-1), in fractions if need be. For down the result is
        negated."""
        costs = self._costs(place, direction)
        found = linprog(costs, A_eq=self._sums, b_eq=self._zeros, bounds=self._bounds, method="highs-ds")
        if found.status == _UNBOUNDED:
            return Reach(math.inf, None, np.zeros(self._cells))
        if found.fun is None or found.x is None:
            raise SolverFailed(f"the linear programme ended with: {found.message}")
        prices = costs - self._sums.T @ found.eqlin.marginals
        return Reach(-float(found.fun), found.x, np.where(np.abs(prices) < TOLERANCE, 0.0, prices))

    def whole_reach(self, place: int, direction: int) -> float:
        """The same in whole numbers only."""
        lower, upper = np.array(self._bounds).T
        found = milp(
            self._costs(place, direction),
            constraints=LinearConstraint(self._sums, self._zeros, self._zeros),
            integrality=np.ones(self._cells, dtype=np.int_),
            bounds=Bounds(lower, upper),
            options={"mip_rel_gap": 0},
        )
        if found.status == _UNBOUNDED:
            return math.inf
        if found.fun is None:
            raise SolverFailed(f"the whole-number programme ended with: {found.message}")
        return -round(float(found.fun))

    def range(self, place: int) -> Range:
        """The lowest and the highest whole number that the count at this place can be."""
        ends = []
        for direction in (-1, 1):
            reach = self.reach(place, direction)
            ends.append(direction * (reach.highest if reach.is_whole else self.whole_reach(place, direction)))
        low, high = ends
        return Range(round(low), None if math.isinf(high) else round(high))

    def _costs(self, place: int, direction: int) -> Vector:
        costs = np.zeros(self._cells)
        costs[place] = -direction
        return costs


def audit(published: PublishedTable, rule: SuppressionRule, knowledge: Knowledge) -> dict[Cell, Range]:
    """The range of each hidden cell that follows from what is published, for somebody with this knowledge."""
    return _ranges(published, rule, knowledge, published.hidden)


def exposed(published: PublishedTable, rule: SuppressionRule) -> set[Cell]:
    """The hidden cells that an attacker can narrow too far: none in a table that may be published."""
    symbol = audit(published, rule, Knowledge.SYMBOL)
    small_cells = audit(published, rule, Knowledge.SMALL_CELLS)
    zeros = {where for where, count in published.shown.items() if count < rule.lowest}
    all_but_zeros = published.hidden.union(published.shown) - zeros - published.known
    beforehand = _ranges(published, rule, Knowledge.SMALL_CELLS, all_but_zeros)
    return {
        where
        for where in published.hidden
        if symbol[where].span < rule.needed(Knowledge.SYMBOL, is_small=where in published.small)
        or small_cells[where].span
        < min(
            rule.needed(Knowledge.SMALL_CELLS, is_small=where in published.small),
            beforehand[where].span,
        )
    }


def matrix(cells: Sequence[Cell], sums: Collection[Sum]) -> Vector:
    """One row a sum: 1 for each part and -1 for the total, over the cells in order."""
    places: Mapping[Cell, int] = {where: place for place, where in enumerate(cells)}
    found = np.zeros((len(sums), len(cells)))
    for row, relation in enumerate(sums):
        found[row, places[relation.total]] -= 1.0
        for part in relation.parts:
            found[row, places[part]] += 1.0
    return found


def _ranges(
    published: PublishedTable, rule: SuppressionRule, knowledge: Knowledge, hidden: frozenset[Cell]
) -> dict[Cell, Range]:
    cells = [*published.shown, *sorted(published.hidden)]
    bounds = [
        rule.bounds(knowledge, is_small=where in published.small)
        if where in hidden
        else (published.shown[where], published.shown[where])
        for where in cells
    ]
    lower = np.array([low for low, _ in bounds], dtype=np.float64)
    upper = np.array([math.inf if high is None else high for _, high in bounds], dtype=np.float64)
    attack = Attack(matrix(cells, published.sums), lower, upper)
    return {where: attack.range(place) for place, where in enumerate(cells) if where in published.hidden}
