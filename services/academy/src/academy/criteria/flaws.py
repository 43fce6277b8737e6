"""What makes a criteria set sound: every flaw, with its place and with what there is instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from academy.codes import Code
from academy.criteria.rules import (
    SUPPORTED_COMPARISONS,
    ComparisonKind,
    Criterion,
    Direction,
    OverallMethod,
    Rules,
    Status,
    Step,
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that keeps a set from being sound: where (JSON pointer), a stable code, and what to do."""

    pointer: str
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue says of a measure: its direction (None when neither way is good), the least and the most that
    a figure can be, and whether intervals are published with it.
    """

    direction: Direction | None
    minimum: Decimal
    maximum: Decimal
    has_interval: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What criteria can name: measures by their codes, and groups of pupils."""

    measures: Mapping[str, Known]
    pupil_groups: Sequence[str]


def flaws_of(rules: Rules, catalogue: Catalogue) -> list[Flaw]:
    """All that is wrong with a set; empty when it is sound."""
    flaws = _scale_flaws(rules.scale) + _overall_flaws(rules)
    seen: dict[str, int] = {}
    for position, criterion in enumerate(rules.criteria):
        at = f"/criteria/{position}"
        if criterion.code in seen:
            flaws.append(
                Flaw(f"{at}/code", Code.DUPLICATE_CRITERION, f"criterion {seen[criterion.code]} has this code too")
            )
        seen.setdefault(criterion.code, position)
        if criterion.measure in catalogue.measures:
            flaws += _measure_flaws(criterion, rules.scale, catalogue, at)
        else:
            flaws.append(
                Flaw(f"{at}/measure", Code.UNKNOWN_MEASURE, f"{criterion.measure} is not in the measures catalogue")
            )
        if criterion.pupil_group not in catalogue.pupil_groups:
            there_are = ", ".join(catalogue.pupil_groups)
            flaws.append(
                Flaw(
                    f"{at}/pupil_group",
                    Code.UNKNOWN_PUPIL_GROUP,
                    f"there is no group {criterion.pupil_group}; there are {there_are}",
                )
            )
        if criterion.comparison not in SUPPORTED_COMPARISONS:
            flaws.append(
                Flaw(
                    f"{at}/comparison",
                    Code.COMPARISON_NOT_SUPPORTED,
                    f"{criterion.comparison} is not computed yet; use fixed, national or previous",
                )
            )
        flaws += _cut_flaws(criterion, len(rules.scale), at)
    if not rules.criteria:
        flaws.append(Flaw("/criteria", Code.NO_CRITERIA, "a set needs at least one criterion"))
    return flaws


def _measure_flaws(criterion: Criterion, scale: Sequence[Step], catalogue: Catalogue, at: str) -> Iterator[Flaw]:
    """What the criterion asks that its measure can't give."""
    measure = catalogue.measures[criterion.measure]
    if measure.direction not in (None, criterion.direction):
        yield Flaw(
            f"{at}/direction",
            Code.DIRECTION_CONTRADICTS_MEASURE,
            f"{criterion.measure} is a measure of which {_said(measure.direction)}",
        )
    # A trust's own figures may come with intervals, whatever is published.
    if criterion.needs_significance and criterion.layer == "national" and not measure.has_interval:
        those = ", ".join(code for code, known in catalogue.measures.items() if known.has_interval)
        yield Flaw(
            f"{at}/needs_significance",
            Code.NO_INTERVAL_PUBLISHED,
            f"no confidence interval is published with {criterion.measure}; there is one with {those}",
        )
    if len(criterion.cuts) == len(scale) - 1:
        yield from _range_flaws(criterion, scale, measure, at)


def _range_flaws(criterion: Criterion, scale: Sequence[Step], measure: Known, at: str) -> Iterator[Flaw]:
    least, most, what = measure.minimum, measure.maximum, "a figure"
    if criterion.comparison is not ComparisonKind.FIXED:
        most = measure.maximum - measure.minimum
        least, what = -most, "a difference between two figures"
    for cut, step in zip(criterion.cuts, scale, strict=False):
        if not least <= cut <= most:
            yield Flaw(
                f"{at}/bounds/{step.code}",
                Code.BOUND_OUT_OF_RANGE,
                f"{what} of {criterion.measure} is from {least.normalize():f} to {most.normalize():f}",
            )


def _said(direction: Direction | None) -> str:
    return "neither way is good" if direction is None else direction.value.replace("_", " ")


def _scale_flaws(scale: Sequence[Step]) -> list[Flaw]:
    flaws: list[Flaw] = []
    if len(scale) < 2:
        flaws.append(Flaw("/scale", Code.SCALE_TOO_SHORT, "a scale needs at least two steps"))
    if len({step.code for step in scale}) != len(scale):
        flaws.append(Flaw("/scale", Code.DUPLICATE_STEP, "each step needs a code of its own"))
    order = [Status.GREEN, Status.AMBER, Status.RED]
    ranks = [order.index(step.status) if step.status in order else -1 for step in scale]
    if -1 in ranks:
        flaws.append(Flaw("/scale", Code.STEP_WITHOUT_COLOUR, "a step stands for red, amber or green"))
    elif ranks != sorted(ranks):
        flaws.append(Flaw("/scale", Code.SCALE_OUT_OF_ORDER, "steps go from the best to the worst"))
    return flaws


def _overall_flaws(rules: Rules) -> list[Flaw]:
    overall = rules.overall
    if overall.method is not OverallMethod.WEIGHTED_POINTS:
        return []
    flaws: list[Flaw] = []
    if len(overall.point_cuts) != len(rules.scale) - 1:
        flaws.append(
            Flaw(
                "/overall/point_cuts",
                Code.WRONG_NUMBER_OF_CUTS,
                f"a scale of {len(rules.scale)} steps needs {len(rules.scale) - 1}",
            )
        )
    if list(overall.point_cuts) != sorted(set(overall.point_cuts), reverse=True):
        flaws.append(Flaw("/overall/point_cuts", Code.CUTS_OUT_OF_ORDER, "cuts fall strictly from the best step down"))
    return flaws


def _cut_flaws(criterion: Criterion, steps: int, at: str) -> list[Flaw]:
    if len(criterion.cuts) != steps - 1:
        return [Flaw(f"{at}/bounds", Code.WRONG_NUMBER_OF_BOUNDS, f"a scale of {steps} steps needs {steps - 1} bounds")]
    falling = criterion.direction is Direction.HIGHER_IS_BETTER
    if list(criterion.cuts) != sorted(set(criterion.cuts), reverse=falling):
        way = "fall" if falling else "rise"
        return [
            Flaw(
                f"{at}/bounds",
                Code.BOUNDS_OUT_OF_ORDER,
                f"with {criterion.direction} bounds {way} strictly from the best step",
            )
        ]
    return []
