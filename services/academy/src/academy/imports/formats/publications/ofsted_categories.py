"""The category of concern that follows from a report card, as a check beside the published one.

Source: Education Act 2005, section 44, and Ofsted's guidance for state-funded schools of November 2025. Urgent
improvement in any area, or safeguarding not met: the school requires significant improvement. Urgent improvement in
leadership and governance too: special measures.
"""

from collections.abc import Mapping
from typing import Final

NONE: Final = "none"
SIGNIFICANT_IMPROVEMENT: Final = "requires_significant_improvement"
SPECIAL_MEASURES: Final = "special_measures"

_URGENT: Final = "urgent_improvement"
_LEADERSHIP: Final = "leadership_and_governance"


def categories_by_grades(judgements: Mapping[str, str], safeguarding: str | None) -> frozenset[str]:
    """The categories that agree with these grades of a report card; `none` among them where none does.

    Several where the grades don't decide: leadership alone is urgent, or its grade isn't stated.
    """
    others = [grade for area, grade in judgements.items() if area != _LEADERSHIP]
    is_serious = _URGENT in others or safeguarding == "not_met"
    leadership = judgements.get(_LEADERSHIP)
    if leadership == _URGENT:
        return frozenset({SPECIAL_MEASURES} if is_serious else {SPECIAL_MEASURES, SIGNIFICANT_IMPROVEMENT})
    if not is_serious:
        return frozenset({NONE})
    return frozenset({SIGNIFICANT_IMPROVEMENT} if leadership else {SPECIAL_MEASURES, SIGNIFICANT_IMPROVEMENT})
