"""Two attacks on published tables that share nothing with the library's: flows round a table, and trying every number.

Both get what a reader gets, and the bounds of somebody who knows the rule (and which cells are small, if so said).
"""

from collections import deque
from collections.abc import Iterator, Mapping

from kit.disclosure.published import PublishedTable
from kit.disclosure.tables import Cell, Sum, cell

LARGEST = 250
"""More than any count of the tables that are attacked by trying every number."""

PLENTY = 10**6
"""Stands for no highest number."""


def bounds_of(published: PublishedTable, *, knows_small: bool, limit: int = 5) -> dict[Cell, tuple[int, int]]:
    """The lowest and highest that the attacker takes for possible before adding anything up."""
    return _bounds(published, published.hidden, knows_small=knows_small, limit=limit)


def bounds_beforehand(published: PublishedTable) -> dict[Cell, tuple[int, int]]:
    """The same if nothing but zeros were published, for who knows which counts are small."""
    counted = frozenset(where for where, count in published.shown.items() if count > 0)
    return _bounds(published, published.hidden | counted, knows_small=True, limit=5)


def _bounds(
    published: PublishedTable, hidden: frozenset[Cell], *, knows_small: bool, limit: int
) -> dict[Cell, tuple[int, int]]:
    found = {where: (count, count) for where, count in published.shown.items()}
    for where in hidden:
        if not knows_small:
            found[where] = (1, PLENTY)
        else:
            found[where] = (1, limit) if where in published.small else (limit + 1, PLENTY)
    return found


class Flows:
    """A table of rows and columns with margins as a network: what one count gains, others on a way round must lose.

    Needs one table that fits the bounds to start from: the true one will do, since every start has the same ends.
    """

    def __init__(self, rows: list[str], columns: list[str], true: Mapping[Cell, int]) -> None:
        self.rows, self.columns, self.true = [*rows, ""], [*columns, ""], true

    def where(self, row: int, column: int) -> Cell:
        """The cell; the last row and column are the totals."""
        named = {"row": self.rows[row], "column": self.columns[column]}
        return cell(**{dimension: category for dimension, category in named.items() if category})

    def range(self, bounds: Mapping[Cell, tuple[int, int]], row: int, column: int) -> tuple[int, int]:
        """The lowest and the highest count possible in this cell."""
        where = self.where(row, column)
        count, (low, high) = self.true[where], bounds[where]
        up = min(high - count, self._flow(bounds, row, column, upward=True))
        down = min(count - low, self._flow(bounds, row, column, upward=False))
        return count - down, count + up

    def _arcs(self, bounds: Mapping[Cell, tuple[int, int]], without: tuple[int, int]) -> dict[tuple[int, int], int]:
        """How much may flow between rows (0, 1, ...) and columns (-1, -2, ...)."""
        arcs = {}
        for i in range(len(self.rows)):
            for j in range(len(self.columns)):
                if (i, j) != without:
                    count, (low, high) = self.true[self.where(i, j)], bounds[self.where(i, j)]
                    more, less = high - count, count - low
                    arcs[i, -1 - j], arcs[-1 - j, i] = (more, less) if self._sign(i, j) > 0 else (less, more)
        return arcs

    def _sign(self, i: int, j: int) -> int:
        return (-1 if i == len(self.rows) - 1 else 1) * (-1 if j == len(self.columns) - 1 else 1)

    def _flow(self, bounds: Mapping[Cell, tuple[int, int]], row: int, column: int, *, upward: bool) -> int:
        arcs = self._arcs(bounds, (row, column))
        ends = (-1 - column, row) if upward == (self._sign(row, column) > 0) else (row, -1 - column)
        total = 0
        while total < PLENTY and (way := _way(arcs, *ends)):
            amount = min(arcs[step] for step in way)
            for start, end in way:
                arcs[start, end] -= amount
                arcs[end, start] += amount
            total += amount
        return total


def _way(arcs: Mapping[tuple[int, int], int], start: int, goal: int) -> list[tuple[int, int]]:
    before: dict[int, int] = {start: start}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for (a, b), room in arcs.items():
            if a == here and room > 0 and b not in before:
                before[b] = here
                queue.append(b)
    if goal not in before:
        return []
    steps = []
    while goal != start:
        steps.append((before[goal], goal))
        goal = before[goal]
    return steps


def possible(
    published: PublishedTable, bounds: Mapping[Cell, tuple[int, int]], where: Cell, *, most: int = 12
) -> tuple[int, int]:
    """The lowest and the highest number up to `most` that this cell can have, found by trying them."""
    low, high = bounds[where]
    numbers = [
        number
        for number in range(low, min(high, most) + 1)
        if next(_tables(published.sums, {**bounds, where: (number, number)}), None)
    ]
    return numbers[0], numbers[-1]


def _tables(sums: tuple[Sum, ...], bounds: dict[Cell, tuple[int, int]]) -> Iterator[dict[Cell, tuple[int, int]]]:
    """Tables within the bounds in which every sum holds."""
    narrowed = _narrowed(sums, {where: (low, min(high, LARGEST)) for where, (low, high) in bounds.items()})
    if narrowed is None:
        return
    open_cells = [(high - low, where) for where, (low, high) in narrowed.items() if high > low]
    if not open_cells:
        yield narrowed
        return
    _, where = min(open_cells)
    low, high = narrowed[where]
    for number in range(low, high + 1):
        yield from _tables(sums, {**narrowed, where: (number, number)})


def _narrowed(sums: tuple[Sum, ...], bounds: dict[Cell, tuple[int, int]]) -> dict[Cell, tuple[int, int]] | None:
    """Bounds after each sum has bounded its members again and again; None when one can't hold."""
    changed = True
    while changed:
        changed = False
        for relation in sums:
            signs = {relation.total: -1, **dict.fromkeys(relation.parts, 1)}
            for where, sign in signs.items():
                rest_low = rest_high = 0
                for other, other_sign in signs.items():
                    if other != where:
                        ends = sorted(other_sign * end for end in bounds[other])
                        rest_low, rest_high = rest_low + ends[0], rest_high + ends[1]
                ends = sorted((-sign * rest_low, -sign * rest_high))
                low, high = bounds[where]
                new = (max(low, ends[0]), min(high, ends[1]))
                if new[0] > new[1]:
                    return None
                if new != (low, high):
                    bounds = {**bounds, where: new}
                    changed = True
    return bounds
