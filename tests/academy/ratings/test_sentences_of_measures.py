"""A sentence about every measure of the catalogue, as a governor reads it."""

from decimal import Decimal
from pathlib import Path

import pytest

from academy.criteria.rules import DEFAULT_SCALE, ComparisonKind, Criterion, Direction
from academy.measures.rules import MEASURES
from academy.ratings.computing import wording_of
from academy.ratings.rules import assess
from academy.ratings.sentences import sentence
from tests.academy.ratings.test_rules import evidence, figure

GOLDEN = Path(__file__).with_name("sentences.txt")


def sentence_about(measure: str, pupil_group: str = "all") -> str:
    """The sentence about a figure a little above England's: between the bounds where lower is better."""
    found = MEASURES[measure]
    typical = Decimal("0.1") if found.minimum < 0 else Decimal(str(found.minimum + min(found.maximum, 120))) / 2
    lower_is_better = found.direction.value == Direction.LOWER_IS_BETTER.value
    criterion = Criterion(
        code="x",
        title="x",
        measure=measure,
        cuts=(Decimal(0), Decimal(2 if lower_is_better else -2)),
        direction=Direction.LOWER_IS_BETTER if lower_is_better else Direction.HIGHER_IS_BETTER,
        comparison=ComparisonKind.NATIONAL,
        pupil_group=pupil_group,
    )
    held = evidence(figure(str(typical + 1)), national={"2023/24": str(typical)})
    return sentence(assess(criterion, DEFAULT_SCALE, held), wording_of(criterion), DEFAULT_SCALE)


def test_every_measure_has_a_sentence_that_reads_well() -> None:
    """Somebody has read each line of the file: a measure that is new, or worded anew, needs a line and a reader."""
    told = [f"{measure}: {sentence_about(measure)}" for measure in MEASURES]
    assert told == GOLDEN.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("measure", "pupil_group", "begins"),
    [
        ("ks4.attainment_8", "boys", "Attainment 8 of boys was"),
        ("ks4.progress_8", "disadvantaged", "Progress 8 of disadvantaged pupils was"),
        (
            "ks4.english_maths_grade_5_percent",
            "disadvantaged",
            "The share of disadvantaged pupils with grade 5 or above in English and maths was",
        ),
        ("absence.overall_percent", "year_7", "Overall absence of pupils in Year 7 was"),
        ("census.pupils", "reception", "The number of pupils in Reception on roll was"),
        ("suspensions.rate_per_100", "sen_support", "The rate of suspensions of pupils with SEN support was"),
    ],
)
def test_a_sentence_says_whose_figure_it_is(measure: str, pupil_group: str, begins: str) -> None:
    assert sentence_about(measure, pupil_group).startswith(begins)
