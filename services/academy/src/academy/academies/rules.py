"""Pure decisions about academies: whose judgement an inspection was, who came first."""

from datetime import date
from enum import StrEnum

PREDECESSOR, SUCCESSOR = "predecessor", "successor"
# The register's word for what several schools became.
_RESULT = "result_of_"


class Joining(StrEnum):
    """Was the academy inspected before or after it joined the trust that it belongs to now?"""

    BEFORE = "before"
    AFTER = "after"


def joining(inspected_on: date, joined_on: date | None) -> Joining | None:
    """None when the academy belongs to no trust. On the day of joining counts as after."""
    if joined_on is None:
        return None
    return Joining.BEFORE if inspected_on < joined_on else Joining.AFTER


def comes_before(link_type: str) -> bool:
    """Is a school that is linked like this a predecessor?"""
    return PREDECESSOR in link_type


def comes_after(link_type: str) -> bool:
    """Is it a successor? Some links lead to neither: a sixth form centre is beside the schools that share it."""
    return SUCCESSOR in link_type or link_type.startswith(_RESULT)


def seen_from_the_other(link_type: str) -> str:
    """What a school is to the one that the register links it with: `successor_merged` for `predecessor_merged`."""
    if comes_before(link_type):
        return link_type.replace(PREDECESSOR, SUCCESSOR)
    if SUCCESSOR in link_type:
        return link_type.replace(SUCCESSOR, PREDECESSOR)
    return PREDECESSOR if comes_after(link_type) else link_type
