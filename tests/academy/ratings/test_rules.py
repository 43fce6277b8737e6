"""How a colour is decided, by tables of cases and by properties that hold for every figure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.criteria.rules import (
    DEFAULT_SCALE,
    ComparisonKind,
    Criterion,
    Direction,
    Overall,
    OverallMethod,
    Rules,
    Status,
    Step,
)
from academy.ratings.rules import Comparator, Evidence, Figure, Result, assess, counts, overall

P8 = Criterion(
    code="progress_8",
    title="Progress 8",
    measure="ks4.progress_8",
    cuts=(Decimal("0"), Decimal("-0.5")),
    direction=Direction.HIGHER_IS_BETTER,
    needs_significance=True,
    smallest_cohort=11,
    max_age_years=2,
)
ABSENCE = Criterion(
    code="absence",
    title="Absence",
    measure="absence.overall_percent",
    cuts=(Decimal("5"), Decimal("8")),
    direction=Direction.LOWER_IS_BETTER,
)
FOUR_STEPS = (
    Step("green", "Green", Status.GREEN),
    Step("amber_green", "Amber-green", Status.AMBER),
    Step("red_amber", "Red-amber", Status.AMBER),
    Step("red", "Red", Status.RED),
)


def figure(value: str | None, year: str = "2023/24", **values: Any) -> Figure:
    reason = values.pop("reason", None if value is not None else "suppressed")
    numbers: dict[str, Any] = {
        name: Decimal(values.pop(name)) for name in ("lower", "upper") if values.get(name) is not None
    }
    return Figure(
        observation_id=f"figure of {year}",
        academic_year=year,
        value=None if value is None else Decimal(value),
        reason=reason,
        source="test",
        **numbers,
        **values,
    )


def evidence(
    *figures: Figure,
    newest: str | None = "2023/24",
    national: Mapping[str, str] | None = None,
    unpublished: Sequence[str] = (),
) -> Evidence:
    return Evidence(
        figures=figures,
        newest_year=newest,
        national={year: Comparator(year, Decimal(value)) for year, value in (national or {}).items()},
        unpublished=dict.fromkeys(unpublished, "cancelled"),
    )


def of(criterion: Criterion, found: Evidence, scale: Sequence[Step] = DEFAULT_SCALE) -> tuple[str, str | None]:
    result = assess(criterion, scale, found)
    return result.status.value, result.reason


@pytest.mark.parametrize(
    ("value", "lower", "upper", "status"),
    [
        # The edge rows of the DfE's own bands: an interval that touches 0 is average.
        ("-0.50", "-0.74", "-0.26", "amber"),
        ("-0.51", "-0.75", "-0.27", "red"),
        ("0.50", "0.33", "0.66", "green"),
        ("-0.29", "-0.58", "0.00", "amber"),
        ("-0.5", "-1.16", "0.16", "amber"),
        ("-0.9", "-1.90", "0.10", "amber"),
        ("0.2", "0.00", "0.40", "amber"),
        ("0.2", "0.01", "0.39", "green"),
        ("-0.2", "-0.39", "-0.01", "amber"),
    ],
)
def test_progress_8_is_told_from_the_average_by_its_interval(value: str, lower: str, upper: str, status: str) -> None:
    assert of(P8, evidence(figure(value, lower=lower, upper=upper))) == (status, None)


@pytest.mark.parametrize(
    ("value", "status"), [("0", "green"), ("0.00", "green"), ("-0.01", "amber"), ("-0.5", "amber"), ("-0.51", "red")]
)
def test_without_a_published_interval_the_bounds_decide(value: str, status: str) -> None:
    assert of(P8, evidence(figure(value))) == (status, None)


@pytest.mark.parametrize(("value", "status"), [("4.9", "green"), ("5", "green"), ("5.1", "amber"), ("8.1", "red")])
def test_where_lower_is_better_bounds_rise(value: str, status: str) -> None:
    assert of(ABSENCE, evidence(figure(value))) == (status, None)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (evidence(), "not_available"),
        (evidence(newest=None), "not_available"),
        (evidence(figure(None)), "suppressed"),
        # A gap of the school's own isn't passed over: an older figure would hide it.
        (evidence(figure(None), figure("1.0", "2022/23")), "suppressed"),
        (evidence(figure("1.0", cohort=10)), "cohort_too_small"),
        (evidence(figure("1.0", "2020/21")), "too_old"),
        (evidence(newest="2024/25", unpublished=["2024/25"]), "not_published"),
        (evidence(figure(None, "2024/25", reason="not_published"), newest="2024/25"), "not_published"),
        # Others of the year were published: what is missing is this school's own.
        (
            evidence(figure(None, "2023/24", reason="not_published"), figure("1.0", "2022/23")),
            "not_published",
        ),
        (
            evidence(
                figure(None, "2024/25", reason="not_published"),
                figure("1.0", "2018/19"),
                newest="2024/25",
                unpublished=["2024/25"],
            ),
            "not_published",
        ),
    ],
)
def test_without_a_figure_that_counts_there_is_a_reason_and_no_colour(found: Evidence, reason: str) -> None:
    assert of(P8, found) == ("not_assessed", reason)


def test_a_year_in_which_nobody_was_published_is_passed_over_while_the_one_before_is_young_enough() -> None:
    gap = figure(None, "2024/25", reason="not_published")
    found = evidence(gap, figure("1.0", "2022/23"), newest="2024/25", unpublished=["2024/25"])
    result = assess(P8, DEFAULT_SCALE, found)
    assert (result.status, result.academic_year) == (Status.GREEN, "2022/23")


def test_an_unknown_cohort_blocks_no_colour() -> None:
    assert of(P8, evidence(figure("1.0", cohort=None))) == ("green", None)


def test_age_counts_from_the_newest_year_loaded() -> None:
    young = replace(P8, max_age_years=0)
    assert of(young, evidence(figure("1.0", "2018/19"), newest="2018/19")) == ("green", None)
    assert of(young, evidence(figure("1.0", "2018/19"), newest="2019/20")) == ("not_assessed", "too_old")


def test_a_criterion_of_one_year_takes_that_year_however_old() -> None:
    fixed = replace(P8, academic_year="2016/17")
    assert of(fixed, evidence(figure("1.0", "2016/17"), figure("-1.0"))) == ("green", None)
    assert of(fixed, evidence(figure("-1.0"))) == ("not_assessed", "not_available")
    assert of(fixed, evidence(unpublished=["2016/17"])) == ("not_assessed", "not_published")


NATIONAL = replace(P8, comparison=ComparisonKind.NATIONAL, needs_significance=False, cuts=(Decimal(0), Decimal(-5)))


@pytest.mark.parametrize(
    ("value", "status"), [("46.7", "green"), ("46.6", "amber"), ("41.7", "amber"), ("41.6", "red")]
)
def test_england_is_that_of_the_same_year(value: str, status: str) -> None:
    held = evidence(figure(value), national={"2023/24": "46.7", "2022/23": "90"})
    assert of(NATIONAL, held) == (status, None)
    assert of(NATIONAL, evidence(figure(value), national={"2022/23": "46.7"})) == (
        "not_assessed",
        "comparison_not_available",
    )


def test_the_year_before_is_the_academys_own() -> None:
    trend = replace(NATIONAL, comparison=ComparisonKind.PREVIOUS)
    assert of(trend, evidence(figure("60"), figure("64", "2022/23"))) == ("amber", None)
    assert of(trend, evidence(figure("60"), figure("64", "2021/22"))) == ("not_assessed", "comparison_not_available")
    assert of(trend, evidence(figure("60"), figure(None, "2022/23"))) == ("not_assessed", "comparison_not_available")


def test_a_scale_of_four_steps() -> None:
    four = replace(P8, cuts=(Decimal("0"), Decimal("-0.2"), Decimal("-0.5")), needs_significance=False)
    steps = [assess(four, FOUR_STEPS, evidence(figure(value))).step for value in ("0", "-0.2", "-0.5", "-0.6")]
    assert [step.code for step in steps if step] == ["green", "amber_green", "red_amber", "red"]


@pytest.mark.parametrize(
    ("value", "half", "bound"),
    [("0.3", "0.1", "0"), ("-0.1", None, "-0.2"), ("-0.3", None, "-0.5"), ("-0.6", None, "-0.5"), ("0.3", "0.4", "0")],
)
def test_the_bound_that_decided_is_told_on_every_scale(value: str, half: str | None, bound: str) -> None:
    four = replace(P8, cuts=(Decimal("0"), Decimal("-0.2"), Decimal("-0.5")))
    ends = (
        {}
        if half is None
        else {"lower": str(Decimal(value) - Decimal(half)), "upper": str(Decimal(value) + Decimal(half))}
    )
    result = assess(four, FOUR_STEPS, evidence(figure(value, **ends)))
    place = result.deciding_place(FOUR_STEPS)
    assert place is not None and four.cuts[place] == Decimal(bound)
    assert assess(four, FOUR_STEPS, evidence()).deciding_place(FOUR_STEPS) is None


def result_of(step: Step | None, weight: int = 1, *, is_limiting: bool = False, code: str = "x") -> Result:
    criterion = replace(P8, weight=weight, is_limiting=is_limiting, code=code)
    return Result(criterion, None, None, None if step else "suppressed", None, step, None)


GREEN, AMBER, RED = DEFAULT_SCALE


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([GREEN, GREEN, GREEN], "green"),
        ([GREEN, GREEN, RED], "green"),  # 66.7%
        ([GREEN, AMBER, RED], "amber"),
        ([AMBER, RED, RED], "red"),  # 16.7%
        ([AMBER, AMBER, RED], "amber"),  # 33.3%
        ([GREEN, None, None], "not_assessed"),  # a third of the weight
        ([None, None, None], "not_assessed"),
        ([GREEN, GREEN, None], "green"),
    ],
)
def test_weighted_points(steps: list[Step | None], status: str) -> None:
    outcome = overall(Rules(()), [result_of(step) for step in steps])
    assert outcome.status == status


def test_the_worst_decides_where_the_trust_wants_it() -> None:
    rules = Rules((), overall=Overall(method=OverallMethod.WORST_OF))
    assert overall(rules, [result_of(GREEN), result_of(AMBER)]).status is Status.AMBER
    assert overall(rules, [result_of(GREEN), result_of(None)]).status is Status.GREEN


def test_a_limiting_criterion_in_red_caps_the_whole() -> None:
    results = [result_of(GREEN, 9), result_of(RED, is_limiting=True, code="safeguarding")]
    capped = overall(Rules(()), results)
    assert (capped.status, capped.limited_by) == (Status.RED, ("safeguarding",))
    to_amber = overall(Rules((), overall=Overall(limit=Status.AMBER)), results)
    assert to_amber.status is Status.AMBER
    assert overall(Rules(()), [result_of(GREEN, 9), result_of(AMBER, is_limiting=True)]).limited_by == ()


def test_counts_name_all_four_words() -> None:
    assert counts([result_of(GREEN), result_of(None), result_of(None)]) == {
        "red": 0,
        "amber": 0,
        "green": 1,
        "not_assessed": 2,
    }


VALUES = st.decimals(min_value=-50, max_value=50, places=2)
RANKS = {Status.RED: 0, Status.AMBER: 1, Status.GREEN: 2}


@given(
    worse=VALUES,
    gain=st.decimals(min_value=0, max_value=50, places=2),
    half=st.none() | st.decimals(min_value=0, max_value=5, places=2),
    direction=st.sampled_from(Direction),
    comparison=st.sampled_from([ComparisonKind.FIXED, ComparisonKind.NATIONAL]),
    cuts=st.lists(VALUES, min_size=2, max_size=2, unique=True),
)
def test_a_better_figure_never_earns_a_worse_colour(
    worse: Decimal,
    gain: Decimal,
    half: Decimal | None,
    direction: Direction,
    comparison: ComparisonKind,
    cuts: list[Decimal],
) -> None:
    higher = direction is Direction.HIGHER_IS_BETTER
    better = worse + gain if higher else worse - gain
    ordered = tuple(sorted(cuts, reverse=higher))
    criterion = replace(P8, direction=direction, comparison=comparison, cuts=ordered)

    def rank(value: Decimal) -> int:
        ends = {} if half is None else {"lower": str(value - half), "upper": str(value + half)}
        found = evidence(figure(str(value), **ends), national={"2023/24": "3"})
        return RANKS[assess(criterion, DEFAULT_SCALE, found).status]

    assert rank(better) >= rank(worse)


@given(
    values=st.lists(st.none() | VALUES, max_size=4),
    cohort=st.none() | st.integers(0, 20),
    newest=st.sampled_from([None, "2021/22", "2023/24", "2030/31"]),
    comparison=st.sampled_from([ComparisonKind.FIXED, ComparisonKind.NATIONAL, ComparisonKind.PREVIOUS]),
)
def test_no_colour_without_a_value_and_no_blank_without_a_reason(
    values: list[Decimal | None], cohort: int | None, newest: str | None, comparison: ComparisonKind
) -> None:
    figures = [
        figure(None if value is None else str(value), f"{2020 + place}/{21 + place}", cohort=cohort)
        for place, value in enumerate(values)
    ]
    result = assess(replace(P8, comparison=comparison), DEFAULT_SCALE, evidence(*figures, newest=newest))
    assert (result.step is None) == (result.reason is not None)
    if result.step is not None:
        assert result.figure is not None and result.figure.value is not None
        assert cohort is None or cohort >= 11


@given(
    steps=st.lists(st.sampled_from([None, *DEFAULT_SCALE]), max_size=6),
    weights=st.lists(st.integers(1, 100), min_size=6, max_size=6),
    least=st.integers(1, 100),
    method=st.sampled_from(OverallMethod),
)
def test_below_the_least_weight_nothing_is_coloured(
    steps: list[Step | None], weights: list[int], least: int, method: OverallMethod
) -> None:
    results = [result_of(step, weight) for step, weight in zip(steps, weights, strict=False)]
    outcome = overall(Rules((), overall=Overall(method=method, least_assessed_percent=least)), results)
    total = sum(result.criterion.weight for result in results)
    coloured = sum(result.criterion.weight for result in results if result.step)
    enough = bool(coloured) and 100 * coloured >= least * total
    assert (outcome.status is not Status.NOT_ASSESSED) == enough
    assert (outcome.step is not None) == enough
