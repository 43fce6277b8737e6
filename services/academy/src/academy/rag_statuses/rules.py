"""Why an academy on the board has no colour: a pure decision."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from academy.criteria.rules import Status, phases_of_set


class WithoutColour(StrEnum):
    """Why an academy is not assessed."""

    PHASE_UNKNOWN = "phase_unknown"
    NO_CRITERIA = "no_criteria"
    NOT_RATED_YET = "not_rated_yet"
    TOO_LITTLE_EVIDENCE = "too_little_evidence"


def why_not_assessed(
    status: str, phase: str | None, rated_by: str | None, published: Mapping[str, str]
) -> WithoutColour | None:
    """Why this published status is no colour; None when it is one.

    `rated_by` is the id of the criteria set of the academy's rating, if it has one; `published` has the ids of the
    trust's published sets by phase.
    """
    if status != Status.NOT_ASSESSED:
        return None
    if phase is None:
        return WithoutColour.PHASE_UNKNOWN
    applied = next((published[one] for one in phases_of_set(phase) if one in published), None)
    if applied is None:
        return WithoutColour.NO_CRITERIA
    return WithoutColour.TOO_LITTLE_EVIDENCE if rated_by == applied else WithoutColour.NOT_RATED_YET
