"""How a colour is decided: from figures and a criteria set to criteria results and one overall status.

Pure: no clock, no database. A figure that is missing never becomes a colour, and neither does one that may not be
told (suppressed), is too old, or comes from too small a cohort; the reason is kept in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from academy.criteria.rules import (
    ComparisonKind,
    Criterion,
    Direction,
    Overall,
    OverallMethod,
    Rules,
    Status,
    Step,
)
from sector.years import shift_year, year_distance

NOT_PUBLISHED = "not_published"
NOT_AVAILABLE = "not_available"
TOO_OLD = "too_old"
COHORT_TOO_SMALL = "cohort_too_small"
NO_COMPARISON = "comparison_not_available"
NO_CRITERIA = "no_criteria"

# What decided where no bound was reached, or where the interval tells neither way.
BELOW_ALL = "below_all"
NOT_SIGNIFICANT = "not_significant"


@dataclass(frozen=True, slots=True)
class Figure:
    """One current figure of one academy: a value or the reason why there is none, never both."""

    observation_id: str
    academic_year: str
    value: Decimal | None
    reason: str | None
    source: str
    lower: Decimal | None = None
    upper: Decimal | None = None
    cohort: int | None = None
    release: str = "final"
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comparator:
    """What a figure is compared with: a value of one academic year, or the reason why there is none."""

    academic_year: str
    value: Decimal | None
    reason: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one criterion needs to know about one academy.

    `figures`: the current figures of the criterion's measure, layer, group and term, in any order. `newest_year`: the
    newest academic year loaded nationally for the measure, else the newest of the trust's own figures of it, None when
    there is none. `national`: the England
    state-funded figures by academic year. `unpublished`: the years in which nobody has this measure, with why.
    """

    figures: Sequence[Figure]
    newest_year: str | None
    national: Mapping[str, Comparator]
    unpublished: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one criterion: the figure it used, what decided, and the status or the reason for none."""

    criterion: Criterion
    figure: Figure | None
    academic_year: str | None
    reason: str | None
    comparator: Comparator | None
    step: Step | None
    decided_by: str | None

    @property
    def status(self) -> Status:
        """The canonical word; not_assessed when no step was given."""
        return self.step.status if self.step else Status.NOT_ASSESSED

    def deciding_place(self, scale: Sequence[Step]) -> int | None:
        """Which of the criterion's cuts decided: the one reached, the last where none was, the green bound where the
        interval doesn't tell; None without a colour.
        """
        if self.step is None:
            return None
        if self.decided_by == NOT_SIGNIFICANT:
            return green_place(scale)
        if self.decided_by == BELOW_ALL:
            return len(self.criterion.cuts) - 1
        return [step.code for step in scale].index(self.decided_by or "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The overall status of one academy, with the share of the weight that had a colour and what capped it."""

    status: Status
    step: Step | None
    assessed_percent: Decimal
    points_percent: Decimal | None
    limited_by: tuple[str, ...]


def assess(criterion: Criterion, scale: Sequence[Step], evidence: Evidence) -> Result:
    """What one criterion says of one academy."""
    figure, reason = _figure_to_use(criterion, evidence)
    year = figure.academic_year if figure else (criterion.academic_year or evidence.newest_year)
    age = _age(year, evidence.newest_year)

    def nothing(why: str, comparator: Comparator | None = None) -> Result:
        return Result(criterion, figure, year, why, comparator, None, None)

    if figure is None or figure.value is None:
        return nothing(reason or NOT_AVAILABLE)
    if age is not None and age > criterion.max_age_years and criterion.academic_year is None:
        return nothing(TOO_OLD)
    if criterion.smallest_cohort and figure.cohort is not None and figure.cohort < criterion.smallest_cohort:
        return nothing(COHORT_TOO_SMALL)
    comparator = _comparator(criterion, figure, evidence)
    if comparator is not None and comparator.value is None:
        return nothing(NO_COMPARISON, comparator)
    offset = comparator.value if comparator and comparator.value is not None else Decimal(0)
    step, decided_by = _step(criterion, scale, figure, offset)
    return Result(criterion, figure, year, None, comparator, step, decided_by)


def without_criteria(rules: Rules) -> tuple[Outcome, list[Result]]:
    """What stands in place of a rating by these rules once no set is published for the academy's phase: no colour."""
    results = [Result(criterion, None, None, NO_CRITERIA, None, None, None) for criterion in rules.criteria]
    return Outcome(Status.NOT_ASSESSED, None, Decimal(0), None, ()), results


def _figure_to_use(criterion: Criterion, evidence: Evidence) -> tuple[Figure | None, str | None]:
    """The figure that counts, with the reason when it has no value.

    Years in which the measure was published for nobody, as the catalogue names them, are passed over; a school's own
    gap (suppressed, not available, not published of this school) is not, since an older figure would hide it.
    """
    by_year = {figure.academic_year: figure for figure in evidence.figures}
    if criterion.academic_year is not None:
        figure = by_year.get(criterion.academic_year)
        if figure is None:
            unpublished = criterion.academic_year in evidence.unpublished
            return None, NOT_PUBLISHED if unpublished else NOT_AVAILABLE
        return figure, figure.reason
    newest_gap: Figure | None = None
    for year in sorted(by_year, reverse=True):
        figure = by_year[year]
        if figure.value is None and year in evidence.unpublished:
            newest_gap = newest_gap or figure
            continue
        if newest_gap is not None and (_age(year, evidence.newest_year) or 0) > criterion.max_age_years:
            break
        return figure, figure.reason
    if newest_gap is not None:
        return newest_gap, NOT_PUBLISHED
    newest = evidence.newest_year
    return None, NOT_PUBLISHED if newest in evidence.unpublished else NOT_AVAILABLE


def _age(year: str | None, newest_year: str | None) -> int | None:
    """Academic years between a figure's year and the newest that is loaded; never negative."""
    if year is None or newest_year is None:
        return None
    return max(0, year_distance(year, newest_year))


def _comparator(criterion: Criterion, figure: Figure, evidence: Evidence) -> Comparator | None:
    if criterion.comparison is ComparisonKind.FIXED:
        return None
    if criterion.comparison is ComparisonKind.NATIONAL:
        year = figure.academic_year
        return evidence.national.get(year) or Comparator(year, None, NOT_AVAILABLE)
    year = shift_year(figure.academic_year, -1)
    for earlier in evidence.figures:
        if earlier.academic_year == year:
            return Comparator(year, earlier.value, earlier.reason)
    return Comparator(year, None, NOT_PUBLISHED if year in evidence.unpublished else NOT_AVAILABLE)


def _step(criterion: Criterion, scale: Sequence[Step], figure: Figure, offset: Decimal) -> tuple[Step, str]:
    """The step that a figure earns, and what decided: a bound's step code, "below_all" or "not_significant"."""
    assert figure.value is not None
    sign = 1 if criterion.direction is Direction.HIGHER_IS_BETTER else -1
    cuts = [sign * cut for cut in criterion.cuts]
    value = sign * (figure.value - offset)
    position = next((place for place, cut in enumerate(cuts) if value >= cut), len(cuts))
    if criterion.needs_significance and figure.lower is not None and figure.upper is not None:
        ends = sorted((sign * (figure.lower - offset), sign * (figure.upper - offset)))
        reference = cuts[green_place(scale)]
        if ends[0] <= reference <= ends[1]:
            return _middle(scale), NOT_SIGNIFICANT
    step = scale[position]
    return step, scale[position].code if position < len(cuts) else BELOW_ALL


def green_place(scale: Sequence[Step]) -> int:
    """Which cut is the green bound, the least good figure that still earns a green step: significance is asked of it.

    For Progress 8 with a green bound of 0 an interval that includes or touches 0 is "average", as in the DfE's bands.
    """
    greens = [place for place, step in enumerate(scale[:-1]) if step.status is Status.GREEN]
    return greens[-1] if greens else 0


def _middle(scale: Sequence[Step]) -> Step:
    """The step for a figure that can't be told from the green bound: the first amber one, else the middle."""
    ambers = [step for step in scale if step.status is Status.AMBER]
    return ambers[0] if ambers else scale[len(scale) // 2]


def overall(rules: Rules, results: Sequence[Result]) -> Outcome:
    """One status from all results. Enough of the weight must have a colour, else not_assessed: never green or red."""
    with_step = [result for result in results if result.step is not None]
    exact = assessed_percent(results)
    percent = exact.quantize(Decimal("0.1"))
    if not with_step or exact < rules.overall.least_assessed_percent:
        return Outcome(Status.NOT_ASSESSED, None, percent, None, ())
    points: Decimal | None = None
    if rules.overall.method is OverallMethod.WORST_OF:
        place = max(_place(rules.scale, result) for result in with_step)
    else:
        points = _points(rules.scale, with_step)
        place = place_by_points(rules, points)
    limiting = tuple(
        result.criterion.code for result in with_step if result.criterion.is_limiting and result.status is Status.RED
    )
    cap = _cap(rules.overall, rules.scale)
    if not limiting or place >= cap:
        return Outcome(rules.scale[place].status, rules.scale[place], percent, points, ())
    return Outcome(rules.scale[cap].status, rules.scale[cap], percent, points, limiting)


def assessed_percent(results: Sequence[Result]) -> Decimal:
    """Percent of the weight that has a colour, not rounded."""
    total = sum(result.criterion.weight for result in results)
    assessed = sum(result.criterion.weight for result in results if result.step is not None)
    return Decimal(100 * assessed) / total if total else Decimal(0)


def place_by_points(rules: Rules, points: Decimal) -> int:
    """The best place on the scale whose cut these points reach; the last where they reach none."""
    return next((at for at, cut in enumerate(rules.overall.point_cuts) if points >= cut), len(rules.scale) - 1)


def _place(scale: Sequence[Step], result: Result) -> int:
    assert result.step is not None
    return next(place for place, step in enumerate(scale) if step.code == result.step.code)


def _points(scale: Sequence[Step], results: Sequence[Result]) -> Decimal:
    """Percent of the points that could be had; full points for the best step, none for the last."""
    weight = sum(result.criterion.weight for result in results)
    last = Decimal(len(scale) - 1)
    earned = sum((last - _place(scale, result)) / last * result.criterion.weight for result in results)
    return (Decimal(100) * earned / weight).quantize(Decimal("0.1"))


def _cap(rules: Overall, scale: Sequence[Step]) -> int:
    """The best place on the scale that a limiting criterion in red still allows."""
    return next((place for place, step in enumerate(scale) if step.status is rules.limit), len(scale) - 1)


def counts(results: Sequence[Result]) -> dict[str, int]:
    """How many criteria have each canonical status; all four words are always there."""
    return {status.value: sum(result.status is status for result in results) for status in Status}
