"""Why a rating as a whole is what it is: the points and the cut, in a sentence that never contradicts the colour."""

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.criteria.rules import DEFAULT_SCALE, Overall, OverallMethod, Rules, Status, Step
from academy.ratings.rules import overall
from academy.ratings.sentences import overall_sentence
from tests.academy.ratings.test_rules import result_of

GREEN, AMBER, RED = DEFAULT_SCALE
WORST = Rules((), overall=Overall(method=OverallMethod.WORST_OF))
NEARLY_HALF = Rules((), overall=Overall(least_assessed_percent=50))
OFSTED = (
    Step("outstanding", "Outstanding", Status.GREEN),
    Step("good", "Good", Status.GREEN),
    Step("ri", "RI", Status.AMBER),
    Step("poor", "Poor", Status.RED),
)
FOUR = Rules((), overall=Overall(point_cuts=(Decimal("87.5"), Decimal("66.66"), Decimal("0.0"))), scale=OFSTED)


@pytest.mark.parametrize(
    ("rules", "steps", "why"),
    [
        (Rules(()), [(GREEN, 3), (RED, 2)], "60% of the points; green begins at 66%."),
        (Rules(()), [(GREEN, 13), (RED, 7)], "65% of the points; green begins at 66%."),
        (Rules(()), [(GREEN, 33), (RED, 17)], "66% of the points; green begins at 66%."),
        (Rules(()), [(GREEN, 2), (RED, 1)], "66.7% of the points; green begins at 66%."),
        (Rules(()), [(GREEN, 1)], "100% of the points; green begins at 66%."),
        (Rules(()), [(RED, 1), (None, 1)], "0% of the points; amber begins at 33%."),
        (FOUR, [(OFSTED[0], 2), (OFSTED[3], 1)], "66.7% of the points; outstanding begins at 87.5%."),
        (FOUR, [(OFSTED[2], 1)], "33.3% of the points; good begins at 66.66%."),
        (FOUR, [(OFSTED[3], 1)], "0% of the points; good begins at 66.66%."),
        (WORST, [(GREEN, 1), (AMBER, 1), (None, 1)], "The worst of 2 assessed criteria is amber."),
        (WORST, [(GREEN, 1)], "The one assessed criterion is green."),
        (NEARLY_HALF, [(GREEN, 1), (None, 2)], "33.3% of the weight could be assessed; at least 50% is needed."),
        (NEARLY_HALF, [(GREEN, 4999), (None, 5001)], "49.99% of the weight could be assessed; at least 50% is needed."),
        (NEARLY_HALF, [], "0% of the weight could be assessed; at least 50% is needed."),
    ],
)
def test_the_cut_is_named(rules: Rules, steps: list[tuple[Step | None, int]], why: str) -> None:
    results = [result_of(step, weight) for step, weight in steps]
    assert overall_sentence(rules, results, overall(rules, results)) == why


def test_a_cap_is_named_after_the_cut() -> None:
    results = [result_of(GREEN, 9), result_of(RED, is_limiting=True, code="safeguarding")]
    why = overall_sentence(Rules(()), results, overall(Rules(()), results))
    assert why == "90% of the points; green begins at 66%. Limited to Red by safeguarding."


@given(
    steps=st.lists(st.sampled_from([None, *DEFAULT_SCALE]), min_size=1, max_size=4),
    weights=st.lists(st.integers(1, 1000), min_size=4, max_size=4),
    least=st.integers(1, 100),
    cuts=st.tuples(st.integers(5000, 10000), st.integers(0, 4999)),
)
def test_what_is_written_decides_as_the_rules_do(
    steps: list[Step | None], weights: list[int], least: int, cuts: tuple[int, int]
) -> None:
    chosen = Overall(point_cuts=tuple(Decimal(cut) / 100 for cut in cuts), least_assessed_percent=least)
    rules = Rules((), overall=chosen)
    results = [result_of(step, weight) for step, weight in zip(steps, weights, strict=False)]
    outcome = overall(rules, results)
    why = overall_sentence(rules, results, outcome)
    share, bound = (Decimal(number) for number in re.findall(r"([\d.]+)%", why))
    if outcome.step is None:
        assert share < bound == least
        return
    assert (share >= bound) == (outcome.step is GREEN)
    named = re.search("(green|amber) begins", why)
    assert named is not None
    assert named[1] == ("amber" if outcome.step is RED else "green")
