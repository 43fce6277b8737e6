"""What became of memberships."""

from datetime import date

import pytest

from academy.trusts.rules import Days, changes

OPEN = Days(date(2018, 9, 1), None)
ENDED = Days(date(2018, 9, 1), date(2020, 9, 1))
LATER = Days(date(2021, 9, 1), None)
CORRECTED = Days(date(2021, 10, 1), None)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [OPEN], [(None, OPEN)]),
        ([OPEN], [], [(OPEN, None)]),
        ([OPEN], [OPEN], []),
        ([OPEN], [ENDED], [(OPEN, ENDED)]),
        ([OPEN], [LATER], [(OPEN, LATER)]),
        ([LATER], [CORRECTED, OPEN], [(LATER, OPEN), (None, CORRECTED)]),
        ([LATER, OPEN], [CORRECTED, ENDED], [(OPEN, ENDED), (LATER, CORRECTED)]),
        ([OPEN, LATER], [OPEN, CORRECTED], [(LATER, CORRECTED)]),
    ],
)
def test_each_membership_is_told_beside_what_it_takes_the_place_of(
    before: list[Days], after: list[Days], expected: list[tuple[Days | None, Days | None]]
) -> None:
    assert changes(before, after) == expected
