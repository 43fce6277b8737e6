"""What a governor reads, word for word."""

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.criteria.rules import DEFAULT_SCALE, ComparisonKind, Criterion, Direction, Status, Step
from academy.ratings.rules import Evidence, Figure, assess
from academy.ratings.sentences import Wording, amount, sentence
from tests.academy.ratings.test_rules import ABSENCE, NATIONAL, P8, evidence, figure

PROGRESS = Wording("Progress 8", "points", 2, is_progress=True)
POINTS = Wording("Attainment 8", "points", 1)
PERCENT = Wording("Overall absence", "percent", 1)


@pytest.mark.parametrize(
    ("value", "wording", "is_difference", "told"),
    [
        ("0.17", PROGRESS, False, "+0.17"),
        ("-0.5", PROGRESS, False, "-0.50"),
        ("0", PROGRESS, False, "0.00"),
        ("-0.0001", PROGRESS, False, "0.00"),
        ("0.5", PROGRESS, True, "0.50"),
        ("46.4", POINTS, False, "46.4 points"),
        ("46", POINTS, False, "46.0 points"),
        ("-5", POINTS, True, "5.0 points"),
        ("49.96", PERCENT, False, "49.96%"),
        ("1.5", PERCENT, True, "1.5 percentage points"),
        ("2.7000000000000028", POINTS, True, "2.7 points"),
        ("310", Wording("The number of pupils on roll", "pupils", 0, names_unit=True), False, "310"),
        ("100", Wording("The number of pupils on roll", "pupils", 0, names_unit=True), False, "100"),
        ("10", Wording("The number of pupils on roll", "pupils", 0, names_unit=True), True, "10 pupils"),
        ("2", Wording("The rate of suspensions", "per_100_pupils", 2), False, "2.00 per 100 pupils"),
        ("0.5", Wording("The rate of suspensions", "per_100_pupils", 2), True, "0.50"),
    ],
)
def test_amounts(value: str, wording: Wording, is_difference: bool, told: str) -> None:
    assert amount(Decimal(value), wording, is_difference=is_difference) == told


HIGHER_GRADE = replace(NATIONAL, cuts=(Decimal(0), Decimal("-5")))


@pytest.mark.parametrize(
    ("criterion", "found", "wording", "told"),
    [
        (
            P8,
            evidence(figure("0.17", "2018/19", cohort=180, lower="0.01", upper="0.33"), newest="2018/19"),
            PROGRESS,
            "Progress 8 was +0.17 in 2018/19: at or above the green bound (0.00), so green.",
        ),
        (
            P8,
            evidence(figure("0.17", cohort=180, lower="-0.04", upper="0.38")),
            PROGRESS,
            (
                "Progress 8 was +0.17 in 2023/24: its confidence interval (-0.04 to +0.38) doesn't tell it from the "
                "green bound (0.00), so amber."
            ),
        ),
        (
            P8,
            evidence(figure("-0.7")),
            PROGRESS,
            (
                "Progress 8 was -0.70 in 2023/24: below the amber bound (-0.50), so red. "
                "The number of pupils and the confidence interval were not published."
            ),
        ),
        (
            P8,
            evidence(newest="2024/25", unpublished=["2024/25"]),
            PROGRESS,
            "Progress 8 for 2024/25 is not assessed, because it was not published.",
        ),
        (
            P8,
            evidence(figure(None)),
            PROGRESS,
            "Progress 8 for 2023/24 is not assessed, because it was suppressed to protect small numbers of pupils.",
        ),
        (
            P8,
            evidence(figure("0.4", cohort=7)),
            PROGRESS,
            "Progress 8 was +0.40 in 2023/24, but too few pupils stand behind the figure, so not assessed.",
        ),
        (
            HIGHER_GRADE,
            evidence(figure("46.4", cohort=180), national={"2023/24": "45.8"}),
            POINTS,
            (
                "Attainment 8 was 46.4 points in 2023/24, 0.6 points above the England state-funded figure of 45.8 "
                "points: at or above the green bound (level with England), so green."
            ),
        ),
        (
            HIGHER_GRADE,
            evidence(figure("40.0", cohort=180, release="provisional"), national={"2023/24": "45.8"}),
            POINTS,
            (
                "Attainment 8 was 40.0 points in 2023/24 (provisional figure), 5.8 points below the England "
                "state-funded figure of 45.8 points: below the amber bound (5.0 points below England), so red."
            ),
        ),
        (
            HIGHER_GRADE,
            evidence(figure("46.4", cohort=180)),
            POINTS,
            "Attainment 8 was 46.4 points in 2023/24, but there was no figure to compare it with, so not assessed.",
        ),
        (
            replace(HIGHER_GRADE, comparison=ComparisonKind.PREVIOUS),
            evidence(figure("46.4", cohort=180), figure("46.4", "2022/23")),
            POINTS,
            (
                "Attainment 8 was 46.4 points in 2023/24, the same as its own 46.4 points in 2022/23: at or above the "
                "green bound (level with the year before), so green."
            ),
        ),
        (
            ABSENCE,
            evidence(figure("8.25")),
            PERCENT,
            "Overall absence was 8.25% in 2023/24: above the amber bound (8.0%), so red.",
        ),
        (
            replace(ABSENCE, term="autumn_spring"),
            evidence(figure("4.9")),
            PERCENT,
            (
                "Overall absence was 4.9% in the autumn and spring terms of 2023/24: at or below the green bound "
                "(5.0%), so green."
            ),
        ),
    ],
)
def test_sentences(criterion: Criterion, found: Evidence, wording: Wording, told: str) -> None:
    assert sentence(assess(criterion, DEFAULT_SCALE, found), wording, DEFAULT_SCALE) == told


@pytest.mark.parametrize(
    ("criterion", "found", "told"),
    [
        (
            replace(ABSENCE, direction=Direction.HIGHER_IS_BETTER, cuts=(Decimal("95"), Decimal("92"))),
            evidence(figure("91.996")),
            "was 91.996% in 2023/24: below the amber bound (92.0%), so red.",
        ),
        (
            ABSENCE,
            evidence(figure("5.0004")),
            "was 5.0004% in 2023/24: at or below the amber bound (8.0%), so amber.",
        ),
        (
            replace(HIGHER_GRADE, comparison=ComparisonKind.PREVIOUS, cuts=(Decimal(0), Decimal("-0.3"))),
            evidence(figure("4.6999", cohort=20), figure("5", "2022/23")),
            (
                "was 4.6999% in 2023/24, 0.3001 percentage points below its own 5.0% in 2022/23: below the amber bound "
                "(0.3 percentage points below the year before), so red."
            ),
        ),
        (
            replace(HIGHER_GRADE, comparison=ComparisonKind.PREVIOUS, cuts=(Decimal(0), Decimal("-0.3"))),
            evidence(figure("4.7", cohort=20), figure("5", "2022/23")),
            (
                "was 4.7% in 2023/24, 0.3 percentage points below its own 5.0% in 2022/23: at or above the amber bound "
                "(0.3 percentage points below the year before), so amber."
            ),
        ),
        (
            HIGHER_GRADE,
            evidence(figure("45.7996", cohort=20), national={"2023/24": "45.8"}),
            (
                "was 45.7996% in 2023/24, 0.0004 percentage points below the England state-funded figure of 45.8%: at "
                "or above the amber bound (5.0 percentage points below England), so amber."
            ),
        ),
    ],
)
def test_a_figure_beside_a_bound_is_told_with_the_decimals_that_decided(
    criterion: Criterion, found: Evidence, told: str
) -> None:
    assert sentence(assess(criterion, DEFAULT_SCALE, found), PERCENT, DEFAULT_SCALE) == f"Overall absence {told}"


NUMBER = r"[-+]?[0-9]+(?:\.[0-9]+)?"
LEVEL = "level with (?:England|the year before)"
WAS = rf"was (?P<value>{NUMBER}).*? in 2023/24"
BOUND = r"(?P<side>at or above|at or below|above|below) the \w+ bound"
FIXED_SENTENCE = re.compile(rf"{WAS}: {BOUND} \((?P<cut>{NUMBER})")
HELD_SENTENCE = re.compile(
    rf"{WAS}, (?:the same as|(?P<gap>{NUMBER}).*? (?P<way>above|below)) "
    rf"(?:the England state-funded figure of|its own) (?P<held>{NUMBER}).*?: {BOUND} "
    rf"\((?:{LEVEL}|(?P<cut>{NUMBER}).*? (?P<cut_way>above|below) (?:England|the year before))\)"
)


def signed(size: str | None, way: str | None) -> Decimal:
    return Decimal(0) if size is None else Decimal(size) * (-1 if way == "below" else 1)


def order(one: Decimal, other: Decimal) -> int:
    return (one > other) - (one < other)


NEAR = st.tuples(st.integers(-300, 300), st.integers(-3, 3), st.integers(1, 7)).map(
    lambda parts: Decimal(parts[0]) / 10 + Decimal(parts[1]) / 10 ** parts[2]
)


@given(
    value=NEAR,
    held=NEAR,
    cuts=st.lists(NEAR, min_size=2, max_size=2, unique=True),
    direction=st.sampled_from(Direction),
    comparison=st.sampled_from([ComparisonKind.FIXED, ComparisonKind.NATIONAL, ComparisonKind.PREVIOUS]),
    wording=st.sampled_from([PROGRESS, POINTS, PERCENT, Wording("The rate of suspensions", "per_100_pupils", 2)]),
)
def test_what_is_told_stands_to_its_bound_as_the_figures_do(
    value: Decimal,
    held: Decimal,
    cuts: list[Decimal],
    direction: Direction,
    comparison: ComparisonKind,
    wording: Wording,
) -> None:
    ordered = tuple(sorted(cuts, reverse=direction is Direction.HIGHER_IS_BETTER))
    criterion = replace(
        P8, cuts=ordered, direction=direction, comparison=comparison, needs_significance=False, smallest_cohort=None
    )
    found = evidence(figure(str(value)), figure(str(held), "2022/23"), national={"2023/24": str(held)})
    result = assess(criterion, DEFAULT_SCALE, found)
    told = sentence(result, wording, DEFAULT_SCALE)
    decided = (
        ordered[-1] if result.decided_by == "below_all" else ordered[["green", "amber"].index(str(result.decided_by))]
    )
    pattern = FIXED_SENTENCE if comparison is ComparisonKind.FIXED else HELD_SENTENCE
    said = pattern.search(told)
    assert said is not None, told
    said_cut = Decimal(said["cut"]) if comparison is ComparisonKind.FIXED else signed(said["cut"], said["cut_way"])
    said_value = Decimal(said["value"])
    if comparison is not ComparisonKind.FIXED:
        assert order(said_value, Decimal(said["held"])) == order(value, held), told
        assert order(signed(said["gap"], said["way"]), Decimal(0)) == order(value, held), told
        said_value, value = signed(said["gap"], said["way"]), value - held
    assert order(said_value, said_cut) == order(value, decided), told
    sides = {"at or above": (0, 1), "above": (1,), "at or below": (0, -1), "below": (-1,)}
    assert order(said_value, said_cut) in sides[said["side"]], told


def test_a_trusts_own_words_are_kept() -> None:
    scale = (Step("good", "Good", Status.GREEN), Step("ri", "RI", Status.AMBER), Step("poor", "Poor", Status.RED))
    told = sentence(
        assess(P8, scale, evidence(figure("-0.1", cohort=50, lower="-0.2", upper="-0.01"))), PROGRESS, scale
    )
    assert told == "Progress 8 was -0.10 in 2023/24: at or above the RI bound (-0.50), so RI."


def test_where_two_steps_are_green_the_lower_one_is_the_green_bound() -> None:
    scale = (
        Step("outstanding", "Outstanding", Status.GREEN),
        Step("good", "Good", Status.GREEN),
        Step("amber", "Amber", Status.AMBER),
        Step("red", "Red", Status.RED),
    )
    criterion = replace(P8, cuts=(Decimal("0.5"), Decimal(0), Decimal("-0.5")), direction=Direction.HIGHER_IS_BETTER)
    one = Figure("x", "2023/24", Decimal("0.6"), None, "test", lower=Decimal("-0.1"), upper=Decimal("1.3"), cohort=20)
    told = sentence(assess(criterion, scale, evidence(one)), PROGRESS, scale)
    assert told.endswith("doesn't tell it from the green bound (0.00), so amber.")
