"""Choosing what to hide so that no small count can be worked out, and hiding as little as that needs.

Small counts are hidden. Which others are hidden with them is a whole-number programme: each is hidden or not, and the
weights of what is hidden add up to the least. Its conditions come from attacks (`attacks.Attack`): where an attacker
narrows a hidden count too far, the prices of the attack's linear programme give a condition that every safe choice
fulfils, and the choice is made again. So the result is safe, and nothing safe costs less (Fischetti and
Salazar-González, Models and algorithms for optimizing cell suppression in tabular data with linear constraints, 2000).

Tables of three dimensions can take very many rounds. After a number of them what is hidden stays hidden and only more
is added; then whatever turns out not to be needed is shown again. That is as safe, and perhaps not the least.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from kit.disclosure.attacks import TOLERANCE, Attack, Reach, Vector, matrix
from kit.disclosure.errors import CountInvalid, SolverFailed, TableNotPublishable
from kit.disclosure.published import PublishedTable
from kit.disclosure.rules import Knowledge, SuppressionRule
from kit.disclosure.tables import Cell, CountTable, inner_cells, shown

Flags = npt.NDArray[np.bool_]

MOST_ROUNDS: Final = 12
"""Tables of two dimensions took 2 to 7."""

_INFEASIBLE: Final = 2


def suppress(
    table: CountTable,
    rule: SuppressionRule | None = None,
    *,
    known: Collection[Cell] = (),
    weights: Mapping[Cell, int] | None = None,
    rounds: int = MOST_ROUNDS,
) -> PublishedTable:
    """The table with its small counts hidden, and with as few others as protect them.

    `known` are cells that readers know already, such as totals that were published before: they are shown, whatever
    they are. `weights` says what hiding each cell costs, in whole numbers from 1. Without it a cell costs 1, and a
    total as much as the cells that it adds up. Weights must be known to everybody (such as last year's published
    counts): taken from the counts themselves they would say that what is hidden is smaller than what is shown instead.

    Among choices that cost the same the earlier cells are taken, so that the same table always gives the same result.
    It is the least when it was found within this many `rounds`. Raises TableNotPublishable, and CountInvalid when a
    known cell isn't in the table or a cell has no weight.
    """
    weights = weights or inner_cells(table)
    missing = [where for where in known if where not in table.counts]
    if missing:
        raise CountInvalid(f"{shown(missing[0])} is known and not in the table")
    if any(weights.get(where, 0) < 1 for where in table.counts):
        raise CountInvalid("each cell has a weight of at least 1")
    return _Search(table, rule or SuppressionRule(), frozenset(known), weights).run(rounds)


@dataclass(frozen=True, slots=True)
class _Exposed:
    """A hidden count that an attacker narrows too far. `gains` says how much the span grows at most when a cell is
    hidden; None when only an attack in whole numbers narrows it, which has no prices."""

    place: int
    span: float
    needed: float
    gains: Vector | None


@dataclass(frozen=True, slots=True)
class _Condition:
    """What every safe choice fulfils: the weights of the cells that it hides add up to at least `least`."""

    weights: Vector
    least: float


class _Search:
    def __init__(
        self, table: CountTable, rule: SuppressionRule, known: frozenset[Cell], weights: Mapping[Cell, int]
    ) -> None:
        self.table, self.rule, self.known = table, rule, known
        self.cells = list(table.counts)
        self.counts = np.array(list(table.counts.values()), dtype=np.float64)
        self.sums = matrix(self.cells, table.sums)
        is_known = np.array([where in known for where in self.cells], dtype=np.bool_)
        small = np.array([rule.is_small(count) for count in table.counts.values()], dtype=np.bool_)
        self.is_small = small & ~is_known
        self.may_hide = (small | (self.counts > rule.limit)) & ~is_known
        self.needed = {
            knowledge: np.array(
                [rule.needed(knowledge, is_small=bool(is_small)) for is_small in self.is_small], dtype=np.float64
            )
            for knowledge in Knowledge
        }
        number = len(self.cells)
        # A unit of weight is more than all the ranks together, so that these decide between equals only.
        unit = number * (number + 1) // 2 + 1
        self.costs = np.array([weights[where] * unit + rank for rank, where in enumerate(self.cells)], dtype=np.float64)

    def run(self, rounds: int) -> PublishedTable:
        hidden = self.is_small
        if hidden.any():
            self._settle_needs()
            hidden = self._chosen(rounds)
            if not (self.may_hide & ~hidden).any():
                raise TableNotPublishable("nothing but zeros would be left to show")
        return self._published(hidden)

    def _settle_needs(self) -> None:
        """Nothing is safer than to hide everything. What that doesn't protect from who sees the symbol alone is never
        hidden, and the table is refused when it is small; of who knows which counts are small no more is needed."""
        while unprotected := [found.place for found in self._exposed(Knowledge.SYMBOL, self.may_hide)]:
            if self.is_small[unprotected].any():
                raise TableNotPublishable("a small count could be worked out even if every count were hidden")
            self.may_hide[unprotected] = False
        for found in self._exposed(Knowledge.SMALL_CELLS, self.may_hide):
            self.needed[Knowledge.SMALL_CELLS][found.place] = math.floor(found.span + TOLERANCE)

    def _chosen(self, rounds: int) -> Flags:
        """What to hide: the least when it is found within the rounds, else a safe one that needs all its parts."""
        conditions = list(self._pairs())
        least = self.is_small
        for _ in range(rounds):
            least = self._cheapest(conditions, self.is_small)
            exposed = self._all_exposed(least)
            if not exposed:
                return least
            conditions += [self._condition(each, least) for each in exposed]
        hidden = least
        while exposed := self._all_exposed(hidden):
            conditions += [self._condition(each, hidden) for each in exposed]
            hidden = self._cheapest(conditions, hidden)
        for place in sorted(np.flatnonzero(hidden & ~self.is_small), key=lambda place: -self.costs[place]):
            fewer = hidden.copy()
            fewer[place] = False
            if not any(True for knowledge in Knowledge for _ in self._exposed(knowledge, fewer)):
                hidden = fewer
        return hidden

    def _all_exposed(self, hidden: Flags) -> list[_Exposed]:
        return [found for knowledge in Knowledge for found in self._exposed(knowledge, hidden)]

    def _cheapest(self, conditions: list[_Condition], at_least: Flags) -> Flags:
        """The choice that costs least, hides at least this and fulfils all conditions."""
        rows = [condition.weights for condition in conditions] or [np.zeros_like(self.costs)]
        found = milp(
            self.costs,
            constraints=LinearConstraint(np.array(rows), np.array([each.least for each in conditions] or [0.0])),
            integrality=np.ones(len(self.cells), dtype=np.int_),
            bounds=Bounds(at_least.astype(np.float64), self.may_hide.astype(np.float64)),
            options={"mip_rel_gap": 0},
        )
        if found.status == _INFEASIBLE:
            raise TableNotPublishable("no choice of what to hide protects every small count")
        if found.x is None:
            raise SolverFailed(f"the whole-number programme ended with: {found.message}")
        return np.asarray(found.x > 0.5, dtype=np.bool_)

    def _pairs(self) -> Iterator[_Condition]:
        """Nobody is hidden alone in a sum: the rest would give the count away."""
        places = {where: place for place, where in enumerate(self.cells)}
        for relation in self.table.sums:
            members = np.array([place for where in relation.cells if self.may_hide[place := places[where]]], dtype=int)
            for place in members:
                others = members[members != place]
                if not self.is_small[others].any():
                    gains = np.zeros_like(self.counts)
                    gains[others] = 1.0
                    yield self._at_least(int(place), gains, 1.0)

    def _condition(self, found: _Exposed, hidden: Flags) -> _Condition:
        """What every choice fulfils in which this count is hidden and protected."""
        if found.gains is not None:
            fixed = float(found.gains[self.is_small].sum())
            least = found.needed - fixed
            if least > TOLERANCE:
                gains = np.where(self.is_small, 0.0, np.minimum(found.gains, least))
                return self._at_least(found.place, gains / least, 1.0)
        # To hide less than this is no safer, so that something else must be hidden.
        return self._at_least(found.place, np.where(hidden, 0.0, 1.0), 1.0)

    def _at_least(self, place: int, gains: Vector, least: float) -> _Condition:
        """The condition, which binds only when the count at the place is hidden."""
        if self.is_small[place]:
            return _Condition(gains, least)
        gains[place] -= least
        return _Condition(gains, 0.0)

    def _exposed(self, knowledge: Knowledge, hidden: Flags) -> Iterator[_Exposed]:
        """The hidden counts that somebody with this knowledge narrows too far."""
        bounds = [self.rule.bounds(knowledge, is_small=bool(is_small)) for is_small in self.is_small]
        lower = np.array([low for low, _ in bounds], dtype=np.float64)
        upper = np.array([math.inf if high is None else high for _, high in bounds], dtype=np.float64)
        freedom = (self.counts - lower, upper - self.counts)
        attack = Attack(self.sums, np.where(hidden, lower, self.counts), np.where(hidden, upper, self.counts))
        # What is known to be possible: the truth, and every attack that ended in whole numbers.
        lowest, highest = self.counts.copy(), self.counts.copy()
        needs = self.needed[knowledge] - TOLERANCE
        for place in map(int, np.flatnonzero(hidden)):
            reaches = []
            for direction in (1, -1):
                if highest[place] - lowest[place] >= needs[place]:
                    break
                reach = attack.reach(place, direction)
                if math.isinf(reach.highest):
                    break
                if reach.counts is not None and reach.is_whole:
                    np.minimum(lowest, reach.counts, out=lowest)
                    np.maximum(highest, reach.counts, out=highest)
                reaches.append(reach)
            else:
                span = sum(reach.highest for reach in reaches)
                if span < needs[place]:
                    gains = self._gains(reaches[0], freedom) + self._gains(reaches[1], freedom)
                    yield _Exposed(place, span, self.needed[knowledge][place], gains)
                elif highest[place] - lowest[place] < needs[place]:
                    span = attack.whole_reach(place, 1) + attack.whole_reach(place, -1)
                    if span < needs[place]:
                        yield _Exposed(place, span, self.needed[knowledge][place], None)

    def _gains(self, reach: Reach, freedom: tuple[Vector, Vector]) -> Vector:
        """How much further the attack could go at most for each cell that is hidden: its price times its freedom."""
        down, up = freedom
        gains = np.zeros_like(self.counts)
        for side, prices in ((down, reach.prices), (up, -reach.prices)):
            counts = self.may_hide & (prices > 0)
            gains[counts] += prices[counts] * side[counts]
        return gains

    def _published(self, hidden: Flags) -> PublishedTable:
        cells = frozenset(where for where, is_hidden in zip(self.cells, hidden, strict=True) if is_hidden)
        return PublishedTable(
            shown={where: count for where, count in self.table.counts.items() if where not in cells},
            hidden=cells,
            sums=self.table.sums,
            small=frozenset(where for where, is_small in zip(self.cells, self.is_small, strict=True) if is_small),
            known=self.known,
        )
