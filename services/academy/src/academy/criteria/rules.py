"""What a criteria set says, as plain values.

Everything that decides a colour is data here: the scale, the bounds, what a figure is compared with, how old it
may be, how small its cohort, how the criteria add up. `academy.ratings.rules` applies it, and
`academy.criteria.flaws` says what makes it sound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from academy.codes import Code


class Status(StrEnum):
    """The canonical words of a rating, best last but one; every step of a trust's own scale maps to one."""

    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    NOT_ASSESSED = "not_assessed"


class Direction(StrEnum):
    """Which way is good."""

    HIGHER_IS_BETTER = "higher_is_better"
    LOWER_IS_BETTER = "lower_is_better"


class ComparisonKind(StrEnum):
    """What a figure is compared with.

    `fixed`: the bounds are figures of the measure itself. `national`: the bounds are differences from the England
    state-funded figure of the same year. `previous`: the bounds are differences from the academy's own figure of the
    year before. The others are named so that clients know them; a set that uses one is rejected until then.
    """

    FIXED = "fixed"
    NATIONAL = "national"
    PREVIOUS = "previous"
    TARGET = "target"
    SIMILAR_SCHOOLS = "similar_schools"


SUPPORTED_COMPARISONS = frozenset({ComparisonKind.FIXED, ComparisonKind.NATIONAL, ComparisonKind.PREVIOUS})


class OverallMethod(StrEnum):
    """How criteria add up to one colour."""

    WORST_OF = "worst_of"
    WEIGHTED_POINTS = "weighted_points"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scale: the trust's own word and the canonical status that it stands for."""

    code: str
    label: str
    status: Status


DEFAULT_SCALE: tuple[Step, ...] = (
    Step("green", "Green", Status.GREEN),
    Step("amber", "Amber", Status.AMBER),
    Step("red", "Red", Status.RED),
)


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion for every academy of the phase.

    `cuts` has one bound fewer than the scale has steps, best step first: a figure that reaches `cuts[0]` takes the
    best step, else one that reaches `cuts[1]` the second, and so on; one that reaches none takes the last. With a
    comparison, cuts are differences (figure minus comparison), in the measure's unit. `max_age_years` counts academic
    years back from the newest year loaded nationally for the measure, or, where nothing is, from the newest among the
    trust's own figures of it. `weight` is 1 to 100.
    """

    code: str
    title: str
    measure: str
    cuts: tuple[Decimal, ...]
    direction: Direction
    layer: str = "national"
    pupil_group: str = "all"
    term: str = "year"
    max_age_years: int = 1
    academic_year: str | None = None
    comparison: ComparisonKind = ComparisonKind.FIXED
    needs_significance: bool = False
    smallest_cohort: int | None = None
    weight: int = 1
    is_limiting: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Overall:
    """How the criteria become one status.

    `point_cuts` (weighted points only) are percentages of the points that could be had, best step first; the best step
    earns full points, the last none, those between evenly spaced. `least_assessed_percent` of the weight must have
    a colour before the academy gets one. A limiting criterion in red means that the whole is no better than `limit`.
    """

    method: OverallMethod = OverallMethod.WEIGHTED_POINTS
    point_cuts: tuple[Decimal, ...] = (Decimal("66"), Decimal("33"))
    least_assessed_percent: int = 50
    limit: Status = Status.RED


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole of a criteria set that decides colours."""

    criteria: tuple[Criterion, ...]
    overall: Overall = Overall()
    scale: tuple[Step, ...] = DEFAULT_SCALE


SETS_TRIED: Mapping[str, tuple[str, ...]] = {"all_through": ("all_through", "secondary")}
"""Which phases' sets rate an academy of a phase, the first that is published; its own alone unless it is named."""


def phases_of_set(phase: str | None) -> tuple[str, ...]:
    """The phases whose published set may rate an academy of this phase, best first; empty when it is unknown."""
    return () if phase is None else SETS_TRIED.get(phase, (phase,))


def step_meant(code: str | None, status: Status, scale: Sequence[Step]) -> Step | None:
    """The step of a scale that somebody's judgement stands for: the one of this code where it has this status, else the
    best of the status; None when the scale has none.
    """
    of_status = [step for step in scale if step.status is status]
    return next((step for step in of_status if step.code == code), of_status[0] if of_status else None)


class StepNotPossible(ValueError):
    """No step of the scale is this one: which field says so, and a stable code."""

    def __init__(self, field: str, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.field, self.code = field, code


def step_given(code: str | None, status: Status, scale: Sequence[Step]) -> Step:
    """The step that somebody gives for a status: the one of this code, or the best without one.

    Raises StepNotPossible when the scale has no such step, or it stands for another status.
    """
    step = step_meant(code, status, scale)
    if step is None:
        raise StepNotPossible("status", Code.STATUS_NOT_ON_SCALE, f"No step of the trust's scale stands for {status}.")
    if code in (None, step.code):
        return step
    fitting = ", ".join(one.code for one in scale if one.status is status)
    if code in {one.code for one in scale}:
        detail = f"{code} doesn't stand for {status}; these do: {fitting}."
        raise StepNotPossible("step", Code.STEP_CONTRADICTS_STATUS, detail)
    raise StepNotPossible("step", Code.UNKNOWN_STEP, f"The scale has no step {code}; for {status} it has {fitting}.")


def bounds_of(cuts: Sequence[Decimal], scale: Sequence[Step]) -> dict[str, Decimal]:
    """The cuts as canonical bounds: `green` and `amber`, the least good figure that still earns each word.

    A status that no step of the scale stands for has no bound.
    """
    bounds: dict[str, Decimal] = {}
    for cut, step in zip(cuts, scale, strict=False):
        bounds[step.status.value] = cut
    bounds.pop(Status.RED.value, None)
    return bounds
