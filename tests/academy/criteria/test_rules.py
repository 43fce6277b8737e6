"""What makes a criteria set sound: every flaw is found, each with its place."""

from typing import Any

import orjson
import pytest

from academy.criteria.documents import stored_scale
from academy.criteria.rules import DEFAULT_SCALE, Status, bounds_of, phases_of_set, step_meant
from academy.criteria.schemas import CriteriaSetCreate
from academy.criteria.service import flaws_of_document
from tests.academy.rated import ATTAINMENT, criteria_set

FOUR = [
    {"code": "green", "label": "Green", "status": "green"},
    {"code": "amber_green", "label": "Amber-green", "status": "amber"},
    {"code": "red_amber", "label": "Red-amber", "status": "amber"},
    {"code": "red", "label": "Red", "status": "red"},
]


def flaws(body: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((flaw.pointer, flaw.code) for flaw in flaws_of_document(CriteriaSetCreate.model_validate(body)))


def with_criterion(**values: Any) -> dict[str, Any]:
    return criteria_set(criteria=[{**ATTAINMENT, **values}])


def test_a_sound_set_has_no_flaws() -> None:
    assert flaws(criteria_set()) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (criteria_set(criteria=[]), [("/criteria", "no_criteria")]),
        (
            criteria_set(criteria=[ATTAINMENT, ATTAINMENT]),
            [("/criteria/1/code", "duplicate_criterion")],
        ),
        (with_criterion(measure="ks4.progress_9"), [("/criteria/0/measure", "unknown_measure")]),
        (
            with_criterion(direction="lower_is_better", bounds={"green": 0, "amber": 5}),
            [("/criteria/0/direction", "direction_contradicts_measure")],
        ),
        (
            with_criterion(measure="census.pupils", bounds={"green": 1000, "amber": 500}),
            [],  # neither way is good of itself: the trust says which it means
        ),
        (with_criterion(comparison="similar_schools"), [("/criteria/0/comparison", "comparison_not_supported")]),
        (with_criterion(pupil_group="aliens"), [("/criteria/0/pupil_group", "unknown_pupil_group")]),
        (with_criterion(pupil_group="disadvantaged"), []),
        (with_criterion(needs_significance=True), [("/criteria/0/needs_significance", "no_interval_published")]),
        # A trust's own figures may have intervals of their own.
        (with_criterion(needs_significance=True, layer="trust"), []),
        (with_criterion(measure="ks4.progress_8", needs_significance=True), []),
        (
            with_criterion(comparison="fixed", bounds={"green": 101, "amber": 50}),
            [("/criteria/0/bounds/green", "bound_out_of_range")],
        ),
        (
            with_criterion(comparison="fixed", bounds={"green": 0, "amber": -0.5}),
            [("/criteria/0/bounds/amber", "bound_out_of_range")],
        ),
        (with_criterion(comparison="fixed", bounds={"green": 100, "amber": 0}), []),
        (
            with_criterion(bounds={"green": 100.5, "amber": -100.5}),
            [("/criteria/0/bounds/amber", "bound_out_of_range"), ("/criteria/0/bounds/green", "bound_out_of_range")],
        ),
        (with_criterion(measure="ks4.progress_8", bounds={"green": 20, "amber": -20}), []),
        (with_criterion(comparison="target"), [("/criteria/0/comparison", "comparison_not_supported")]),
        (with_criterion(bounds={"green": 0}), [("/criteria/0/bounds", "wrong_number_of_bounds")]),
        (with_criterion(bounds={"green": 0, "amber": 0}), [("/criteria/0/bounds", "bounds_out_of_order")]),
        (with_criterion(bounds={"green": -5, "amber": 0}), [("/criteria/0/bounds", "bounds_out_of_order")]),
        (
            with_criterion(bounds={"green": 0, "amber": -5, "red": -9}),
            [("/criteria/0/bounds", "wrong_number_of_bounds")],
        ),
        (
            with_criterion(bounds={"green": 0, "amber": -5, "blue": 3}),
            [("/criteria/0/bounds/blue", "unknown_step")],
        ),
        (
            criteria_set(overall={"point_cuts": [33, 66]}),
            [("/overall/point_cuts", "cuts_out_of_order")],
        ),
        (
            criteria_set(scale=FOUR),
            [("/criteria/0/bounds", "wrong_number_of_bounds"), ("/criteria/0/bounds/amber", "unknown_step"),
             ("/overall/point_cuts", "wrong_number_of_cuts")],
        ),
        (
            criteria_set(scale=FOUR, overall={"method": "worst_of"}, criteria=[
                {**ATTAINMENT, "bounds": {"green": 0, "amber_green": -2, "red_amber": -5}}
            ]),
            [],
        ),
        (
            criteria_set(scale=[FOUR[3], FOUR[1], FOUR[0]], overall={"method": "worst_of"}),
            [("/criteria/0/bounds", "wrong_number_of_bounds"), ("/criteria/0/bounds/amber", "unknown_step"),
             ("/scale", "scale_out_of_order")],
        ),
        (
            criteria_set(scale=[FOUR[0], FOUR[0], FOUR[3]], overall={"method": "worst_of"}),
            [("/criteria/0/bounds", "bounds_out_of_order"), ("/criteria/0/bounds/amber", "unknown_step"),
             ("/scale", "duplicate_step")],
        ),
    ],
)  # fmt: skip
def test_flaws(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert flaws(body) == expected


def test_a_flaw_says_what_there_is() -> None:
    body = with_criterion(
        pupil_group="aliens", needs_significance=True, comparison="fixed", bounds={"green": 900, "amber": 9}
    )
    found = {str(flaw.code): flaw.detail for flaw in flaws_of_document(CriteriaSetCreate.model_validate(body))}
    assert "all, disadvantaged" in found["unknown_pupil_group"]
    assert "ks4.progress_8" in found["no_interval_published"]
    assert found["bound_out_of_range"] == "a figure of ks4.attainment_8 is from 0 to 100"


def test_all_flaws_are_named_at_once() -> None:
    body = criteria_set(
        criteria=[
            {**ATTAINMENT, "measure": "nothing", "comparison": "target"},
            {**ATTAINMENT, "bounds": {"green": 0, "amber": 1}},
        ],
        overall={"point_cuts": [10]},
    )
    assert len(flaws(body)) == 5


def test_bounds_are_told_in_canonical_words() -> None:
    assert CriteriaSetCreate.model_validate(criteria_set()).steps == DEFAULT_SCALE
    assert bounds_of([], DEFAULT_SCALE) == {}


@pytest.mark.parametrize(
    ("code", "status", "meant"),
    [
        (None, "amber", "amber_green"),
        ("red_amber", "amber", "red_amber"),
        ("amber", "amber", "amber_green"),  # of a scale that had one step for it
        ("red_amber", "red", "red"),  # the code stands for something else by now
        ("unknown", "green", "green"),
    ],
)
def test_a_judgement_stands_for_its_step_or_else_for_the_best_of_its_status(
    code: str | None, status: str, meant: str
) -> None:
    step = step_meant(code, Status(status), stored_scale(orjson.dumps(FOUR)))
    assert step is not None and step.code == meant
    assert step_meant(code, Status(status), []) is None


@pytest.mark.parametrize(
    ("phase", "phases"),
    [("all_through", ("all_through", "secondary")), ("special", ("special",)), (None, ())],
)
def test_which_sets_may_rate_a_phase(phase: str | None, phases: tuple[str, ...]) -> None:
    assert phases_of_set(phase) == phases
