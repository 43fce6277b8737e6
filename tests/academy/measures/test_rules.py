"""The catalogue: what must hold of every measure, and the years without publication."""

import re

import pytest

from academy.measures.rules import (
    MEASURES,
    PERIODS,
    PUPIL_GROUPS,
    Measure,
    MeasureDirection,
    Unit,
    suggest_measure,
    why_not_published,
)
from sector.years import parse_academic_year

PHASES = {
    "nursery",
    "primary",
    "secondary",
    "all_through",
    "sixteen_plus",
    "special",
    "alternative_provision",
}
CODE = re.compile(r"[a-z0-9]+\.[a-z0-9_]+")


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda measure: measure.code)
def test_every_measure_is_described_and_bounded(measure: Measure) -> None:
    assert MEASURES[measure.code] is measure
    assert CODE.fullmatch(measure.code)
    assert measure.title and measure.meaning.endswith(".") and measure.source
    assert set(measure.phases) <= PHASES and measure.phases
    assert measure.minimum < measure.maximum
    assert 0 <= measure.decimals <= 3
    assert measure.code.endswith("_percent") == (measure.unit is Unit.PERCENT)
    if measure.unit is Unit.PERCENT:
        assert (measure.minimum, measure.maximum) == (0, 100)
    for year, why in measure.not_published.items():
        assert parse_academic_year(year) == year
        assert why.endswith(".")


def test_absence_is_better_when_lower_and_attendance_when_higher() -> None:
    assert MEASURES["absence.overall_percent"].direction is MeasureDirection.LOWER_IS_BETTER
    assert MEASURES["attendance.overall_percent"].direction is MeasureDirection.HIGHER_IS_BETTER
    assert MEASURES["census.pupils"].direction is MeasureDirection.NEUTRAL


@pytest.mark.parametrize(
    ("measure", "year", "is_published"),
    [
        ("ks4.progress_8", "2018/19", True),
        ("ks4.progress_8", "2019/20", False),
        ("ks4.progress_8", "2023/24", True),
        ("ks4.progress_8", "2024/25", False),
        ("ks4.progress_8", "2025-26", False),
        ("ks4.attainment_8", "2020/21", False),
        ("ks4.attainment_8", "2024/25", True),
        ("ks2.reading_progress", "2022/23", True),
        ("ks2.reading_progress", "2023/24", False),
        ("ks2.reading_progress", "2024/25", False),
        ("ks2.rwm_expected_percent", "2023/24", True),
        ("ks2.rwm_expected_percent", "2021/22", False),
        ("absence.overall_percent", "2019/20", False),
    ],
)
def test_years_without_publication_say_why(measure: str, year: str, is_published: bool) -> None:
    why = why_not_published(measure, year)
    assert (why is None) == is_published


def test_a_slip_in_a_code_is_told_what_was_meant() -> None:
    assert suggest_measure("ks4.progress8") == "ks4.progress_8"
    assert suggest_measure("KS2.RWM_expected") == "ks2.rwm_expected_percent"
    assert suggest_measure("zzzz") is None


def test_everyone_and_the_whole_year_are_called_all_and_year() -> None:
    assert "all" in PUPIL_GROUPS
    assert "year" in PERIODS
