"""One plain English sentence for every criterion: what the figure was, what it was held against, what decided.

Written for a governor, not for a statistician; no colour without its word, no number without its unit and year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from academy.criteria.rules import ComparisonKind, Direction, OverallMethod, Rules, Step
from academy.measures.rules import PERIODS
from academy.ratings.rules import (
    BELOW_ALL,
    COHORT_TOO_SMALL,
    NO_COMPARISON,
    NO_CRITERIA,
    NOT_SIGNIFICANT,
    TOO_OLD,
    Comparator,
    Figure,
    Outcome,
    Result,
    assessed_percent,
    place_by_points,
)

REASONS = {
    "suppressed": "it was suppressed to protect small numbers of pupils",
    "not_applicable": "it doesn't apply to this school",
    "not_published": "it was not published",
    "not_available": "no figure is available",
    "low_coverage": "too few of the pupils are in the measure",
    "no_entries": "no pupils were entered",
    "redacted": "it was redacted",
    "erased": "the trust erased it",
    "new_institution": "the school was too new",
    "rounds_to_zero": "it was published only as near to zero",
    "low_reliability": "it was published as unreliable",
    "not_counted": "there was no pupil to count",
    "unrecognised_symbol": "a symbol that isn't known here stands in its place",
    TOO_OLD: "the newest figure is too old to count",
    COHORT_TOO_SMALL: "too few pupils stand behind the figure",
    NO_COMPARISON: "there was no figure to compare it with",
    NO_CRITERIA: "no criteria are published for the phase of this academy",
}
"""Why a criterion has no colour, in words that finish "not assessed, because ..."."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a measure is spoken of: what the sentence begins with, its unit, the decimals that its source publishes.

    `is_progress` marks scores around 0, which are told with their sign and without a unit. `names_unit` says that the
    subject names the unit already. `places` is to how many decimals figures are rounded: one more than published,
    unless that would hide what decided; what is then 0 at the end isn't told.
    """

    subject: str
    unit: str
    decimals: int
    is_progress: bool = False
    names_unit: bool = False
    places: int | None = None


# After a bare 1 without their last letter: "1 point".
UNITS = {"percent": "%", "points": " points", "pupils": " pupils", "per_100_pupils": " per 100 pupils"}
UNITS_OF_DIFFERENCES = {"percent": " percentage points", "points": " points", "pupils": " pupils"}


def amount(value: Decimal, wording: Wording, *, is_difference: bool = False) -> str:
    """A figure as it is read out: "63.0%", "+0.17", "46.4 points"; a difference without its sign."""
    number = _number(abs(value) if is_difference else value, wording)
    if wording.is_progress:
        return f"+{number}" if value > 0 and Decimal(number) != 0 and not is_difference else number
    if wording.names_unit and not is_difference:
        return number
    unit = (UNITS_OF_DIFFERENCES if is_difference else UNITS).get(wording.unit, "")
    return number + (unit.removesuffix("s") if number == "1" else unit)


def _places(wording: Wording) -> int:
    return wording.decimals + 1 if wording.places is None else wording.places


def _rounded(value: Decimal, places: int) -> Decimal:
    return Decimal(f"{value:.{places}f}")


def _number(value: Decimal, wording: Wording) -> str:
    """Rounded to the wording's places, without zeros at the end beyond what the source publishes."""
    number = f"{_rounded(value, _places(wording)):f}"
    while "." in number and number.endswith("0") and len(number.partition(".")[2]) > wording.decimals:
        number = number[:-1].removesuffix(".")
    return number.removeprefix("-") if Decimal(number) == 0 else number


def _telling(result: Result, wording: Wording) -> Wording:
    """The wording with as many places as tell apart what decided: rounding alone makes nothing equal to its bound."""
    figure, comparator, cuts = result.figure, result.comparator, result.criterion.cuts
    assert figure is not None and figure.value is not None
    pairs = [(figure.value, cut) for cut in cuts]
    if comparator is not None and comparator.value is not None:
        gap = figure.value - comparator.value
        pairs = [(figure.value, comparator.value), (gap, Decimal(0)), *((gap, cut) for cut in cuts)]
    places = _places(wording)
    while any(one != other and _rounded(one, places) == _rounded(other, places) for one, other in pairs):
        places += 1
    return replace(wording, places=places)


def sentence(result: Result, wording: Wording, scale: tuple[Step, ...]) -> str:
    """The sentence that explains one criterion; ends with a full stop and names the status word."""
    if result.step is None:
        return _no_colour(result, wording)
    figure, comparator = result.figure, result.comparator
    assert figure is not None and figure.value is not None
    wording = _telling(result, wording)
    told = f"{wording.subject} was {amount(figure.value, wording)} in {_when(result, figure.academic_year)}"
    told += _release(figure)
    if comparator is not None and comparator.value is not None:
        told += _against(result, figure.value, comparator, wording)
    return f"{told}: {_decision(result, wording, scale)}, so {_word(result.step)}.{_unknowns(result, figure)}"


def _when(result: Result, academic_year: str) -> str:
    term = result.criterion.term
    return academic_year if term == "year" else f"{PERIODS[term].partition(':')[0]} of {academic_year}"


def _word(step: Step) -> str:
    """A label inside a sentence; one that has capitals of its own (RI) keeps them."""
    return step.label.lower() if step.label[1:] == step.label[1:].lower() else step.label


def _no_colour(result: Result, wording: Wording) -> str:
    why = REASONS.get(result.reason or "", "no figure is available")
    figure = result.figure
    when = f" for {_when(result, result.academic_year)}" if result.academic_year else ""
    if figure is not None and figure.value is not None:
        value = amount(figure.value, wording)
        return f"{wording.subject} was {value} in {_when(result, figure.academic_year)}, but {why}, so not assessed."
    return f"{wording.subject}{when} is not assessed, because {why}."


def _release(figure: Figure) -> str:
    return "" if figure.release == "final" else f" ({figure.release} figure)"


def _against(result: Result, value: Decimal, comparator: Comparator, wording: Wording) -> str:
    assert comparator.value is not None
    gap = value - comparator.value
    held = amount(comparator.value, wording)
    whose = (
        f"the England state-funded figure of {held}"
        if result.criterion.comparison is ComparisonKind.NATIONAL
        else f"its own {held} in {comparator.academic_year}"
    )
    if gap == 0:
        return f", the same as {whose}"
    size = amount(gap, wording, is_difference=True)
    return f", {size} {'above' if gap > 0 else 'below'} {whose}"


def _decision(result: Result, wording: Wording, scale: tuple[Step, ...]) -> str:
    """What decided, in words: a bound reached, no bound reached, or an interval that doesn't tell."""
    criterion = result.criterion
    higher = criterion.direction is Direction.HIGHER_IS_BETTER
    figure = result.figure
    assert figure is not None
    place = result.deciding_place(scale)
    assert place is not None
    bound = f"the {_word(scale[place])} bound ({_bound(result, place, wording)})"
    if result.decided_by == NOT_SIGNIFICANT:
        assert figure.lower is not None and figure.upper is not None
        span = f"{amount(figure.lower, wording)} to {amount(figure.upper, wording)}"
        return (
            f"its confidence interval ({span}) doesn't tell it from the green bound ({_bound(result, place, wording)})"
        )
    if result.decided_by == BELOW_ALL:
        return f"{'below' if higher else 'above'} {bound}"
    return f"{'at or above' if higher else 'at or below'} {bound}"


def _bound(result: Result, place: int, wording: Wording) -> str:
    cut = result.criterion.cuts[place]
    if result.criterion.comparison is ComparisonKind.FIXED:
        return amount(cut, wording)
    whose = "England" if result.criterion.comparison is ComparisonKind.NATIONAL else "the year before"
    if cut == 0:
        return f"level with {whose}"
    size = amount(cut, wording, is_difference=True)
    return f"{size} {'above' if cut > 0 else 'below'} {whose}"


def _unknowns(result: Result, figure: Figure) -> str:
    """Says what wasn't published beside the figure, since it could have changed how far to trust it."""
    missing = []
    if figure.cohort is None and result.criterion.smallest_cohort:
        missing.append("number of pupils")
    if result.criterion.needs_significance and (figure.lower is None or figure.upper is None):
        missing.append("confidence interval")
    if not missing:
        return ""
    were = "was" if len(missing) == 1 else "were"
    return f" The {' and the '.join(missing)} {were} not published."


def overall_sentence(rules: Rules, results: Sequence[Result], outcome: Outcome) -> str:
    """The sentence that explains an overall status: the share of the points and the cut that it reached or missed.

    "65% of the points; green begins at 66%." Below the best step it names what the next better one begins at.
    """
    if outcome.step is None:
        return _too_little(rules, results)
    limited = f" Limited to {outcome.step.label} by {', '.join(outcome.limited_by)}." if outcome.limited_by else ""
    if rules.overall.method is OverallMethod.WORST_OF or outcome.points_percent is None:
        return _worst(results, rules.scale) + limited
    points = outcome.points_percent
    cut = max(0, place_by_points(rules, points) - 1)
    begins = f"{_word(rules.scale[cut])} begins at {_percent(rules.overall.point_cuts[cut])}"
    return f"{_percent(points)} of the points; {begins}.{limited}"


def _too_little(rules: Rules, results: Sequence[Result]) -> str:
    """With as many places as tell the share from what is needed: 49.96% of the weight isn't "50%, needed are 50%"."""
    exact, least, places = assessed_percent(results), rules.overall.least_assessed_percent, 1
    while exact < least <= _rounded(exact, places):
        places += 1
    return f"{_percent(_rounded(exact, places))} of the weight could be assessed; at least {least}% is needed."


def _worst(results: Sequence[Result], scale: tuple[Step, ...]) -> str:
    steps = [result.step for result in results if result.step is not None]
    worst = _word(max(steps, key=scale.index))
    return (
        f"The worst of {len(steps)} assessed criteria is {worst}."
        if len(steps) > 1
        else f"The one assessed criterion is {worst}."
    )


def no_criteria_sentence(phase: str | None) -> str:
    """Why an academy isn't rated that no published set is for; `phase` is None when the register states none."""
    if phase is None:
        return "The register states no phase for this academy, so no criteria apply to it."
    return f"No criteria are published for the phase {phase.replace('_', ' ')}."


def _percent(value: Decimal) -> str:
    """Without zeros at the end: "66%", "66.7%"."""
    return f"{value.normalize():f}%"
