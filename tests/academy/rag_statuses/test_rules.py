"""Why an academy has no colour."""

import pytest

from academy.rag_statuses.rules import why_not_assessed

SETS = {"secondary": "s", "special": "x"}


@pytest.mark.parametrize(
    ("status", "phase", "rated_by", "reason"),
    [
        ("green", None, "s", None),
        ("red", "primary", None, None),
        ("not_assessed", None, None, "phase_unknown"),
        ("not_assessed", None, "s", "phase_unknown"),
        ("not_assessed", "primary", None, "no_criteria"),
        ("not_assessed", "primary", "s", "no_criteria"),
        ("not_assessed", "secondary", None, "not_rated_yet"),
        ("not_assessed", "secondary", "older", "not_rated_yet"),
        ("not_assessed", "secondary", "s", "too_little_evidence"),
        # The set of secondaries rates all-through academies where they have none of their own.
        ("not_assessed", "all_through", "s", "too_little_evidence"),
    ],
)
def test_a_colour_that_is_missing_has_a_reason(
    status: str, phase: str | None, rated_by: str | None, reason: str | None
) -> None:
    assert why_not_assessed(status, phase, rated_by, SETS) == reason
