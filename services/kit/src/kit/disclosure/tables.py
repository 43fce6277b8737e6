"""Tables of counts: cells by what they count, and which cells add up to which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from kit.disclosure.errors import CountInvalid, SumDoesNotHold

Cell = tuple[tuple[str, str], ...]
"""What a count is about: dimensions with a category each, sorted by dimension. Those that aren't named are added up."""


def cell(**categories: str) -> Cell:
    """A cell by its categories: `cell(year="7", sex="girls")`. `cell(year="7")` is the total of year 7, `cell()` that
    of all."""
    return tuple(sorted(categories.items()))


@dataclass(frozen=True, slots=True)
class Sum:
    """A cell that is the total of others."""

    total: Cell
    parts: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The total and its parts."""
        return (self.total, *self.parts)


@dataclass(frozen=True, slots=True)
class CountTable:
    """Counts with every relation between them that a reader could know.

    Raises CountInvalid for a negative count or a sum over cells that aren't there, SumDoesNotHold when one doesn't.
    """

    counts: Mapping[Cell, int]
    sums: tuple[Sum, ...]

    def __post_init__(self) -> None:
        for where, count in self.counts.items():
            if count < 0:
                raise CountInvalid(f"{shown(where)} is negative: {count}")
        for relation in self.sums:
            missing = [where for where in relation.cells if where not in self.counts]
            if missing:
                raise CountInvalid(f"{shown(missing[0])} is part of a sum and has no count")
            if self.counts[relation.total] != sum(self.counts[part] for part in relation.parts):
                raise SumDoesNotHold(f"{shown(relation.total)} is not the sum of its parts")


def shown(where: Cell) -> str:
    """A cell in words, for messages: `sex=girls, year=7`; `total` for the one without categories."""
    return ", ".join(f"{dimension}={category}" for dimension, category in where) or "total"


def with_margins(counts: Mapping[Cell, int]) -> CountTable:
    """The table of these counts with every margin: totals over each dimension, each two, and so on.

    All cells have the same dimensions; a combination that isn't given counts 0. Raises CountInvalid.
    """
    categories = _categories(counts)
    places = [[None, *categories[dimension]] for dimension in categories]
    every: dict[Cell, int] = {}
    sums: list[Sum] = []
    # Inner cells first, so that each total's parts are there when it is added up.
    for chosen in sorted(product(*places), key=lambda chosen: sum(category is None for category in chosen)):
        by_dimension = dict(zip(categories, chosen, strict=True))
        where = _without_totals(by_dimension)
        added = [dimension for dimension, category in by_dimension.items() if category is None]
        for dimension in added:
            parts = tuple(_without_totals({**by_dimension, dimension: name}) for name in categories[dimension])
            sums.append(Sum(where, parts))
        every[where] = sum(every[part] for part in sums[-1].parts) if added else counts.get(where, 0)
    return CountTable(every, tuple(sums))


def linked(*tables: CountTable) -> CountTable:
    """Several tables as one, in which cells about the same are the same cell, such as a margin that two tables share.

    What is published together must be protected together. Raises CountInvalid when two tables differ about a cell.
    """
    counts: dict[Cell, int] = {}
    for table in tables:
        for where, count in table.counts.items():
            if counts.setdefault(where, count) != count:
                raise CountInvalid(f"{shown(where)} is {counts[where]} in one table and {count} in another")
    return CountTable(counts, tuple(dict.fromkeys(relation for table in tables for relation in table.sums)))


def inner_cells(table: CountTable) -> dict[Cell, int]:
    """How many innermost cells each cell adds up: 1 for a cell that is no total. Says nothing about counts."""
    within: dict[Cell, frozenset[Cell]] = {}
    parts = {relation.total: relation.parts for relation in table.sums}

    def of(where: Cell) -> frozenset[Cell]:
        if where not in within:
            within[where] = frozenset([where]) if where not in parts else frozenset(_joined(map(of, parts[where])))
        return within[where]

    return {where: len(of(where)) for where in table.counts}


def _joined(sets: Iterable[frozenset[Cell]]) -> Iterator[Cell]:
    return (where for each in sets for where in each)


def _categories(counts: Mapping[Cell, int]) -> dict[str, list[str]]:
    found: dict[str, dict[str, None]] = {}
    for where in counts:
        for dimension, category in where:
            found.setdefault(dimension, {})[category] = None
    for where in counts:
        if {dimension for dimension, _ in where} != found.keys():
            raise CountInvalid(f"{shown(where)} doesn't name each of {', '.join(found)}")
    return {dimension: list(names) for dimension, names in sorted(found.items())}


def _without_totals(by_dimension: Mapping[str, str | None]) -> Cell:
    return tuple((dimension, category) for dimension, category in by_dimension.items() if category is not None)
