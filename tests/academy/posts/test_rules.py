"""Which posts there can be, and who holds them."""

import pytest

from academy.posts.rules import OF_ACADEMIES, OF_TRUSTS, PostRole, flaw_of, holders
from gateway.identity.roles import ROLES, Extent, Holder, Level
from kit.events.held import HeldRole


def test_a_post_stands_for_a_role_that_people_hold_in_a_trust() -> None:
    people = {code for code, role in ROLES.items() if role.level is Level.TRUST and Holder.PERSON in role.holders}
    # A wallboard is no post, and a partner trust's people hold none here.
    assert people - {"status-reader", "alliance-partner"} == set(PostRole)


def test_where_a_role_is_held_is_what_identity_grants() -> None:
    assert {role for role in PostRole if Extent.ACADEMIES not in ROLES[role].extents} == OF_TRUSTS
    assert {role for role in PostRole if Extent.TRUST not in ROLES[role].extents} == OF_ACADEMIES


@pytest.mark.parametrize(
    ("role", "urn", "is_possible"),
    [
        (PostRole.HEADTEACHER, 1, True),
        (PostRole.HEADTEACHER, None, False),
        (PostRole.CHIEF_EXECUTIVE, None, True),
        (PostRole.CHIEF_EXECUTIVE, 1, False),
        (PostRole.DATA_MANAGER, 1, True),
        (PostRole.DATA_MANAGER, None, True),
    ],
)
def test_where_a_post_can_be(role: PostRole, urn: int | None, is_possible: bool) -> None:
    assert (flaw_of(role, urn) is None) is is_possible


def grant(holder: str, extent: str = "trust", *academies: int, role: str = "data-manager") -> HeldRole:
    return HeldRole(holder, role, extent, frozenset(academies))


@pytest.mark.parametrize(
    ("urn", "held", "expected"),
    [
        (1, [grant("a")], ["a"]),
        (1, [grant("a", "academies", 1, 2)], ["a"]),
        (3, [grant("a", "academies", 1, 2)], []),
        (None, [grant("a"), grant("b", "academies", 1)], ["a"]),
        (1, [grant("a", "project")], []),
        (1, [grant("a", role="headteacher")], []),
        (1, [grant("a"), grant("a", "academies", 1), grant("b")], ["a", "b"]),
        (1, [], []),
    ],
)
def test_who_holds_it(urn: int | None, held: list[HeldRole], expected: list[str]) -> None:
    assert holders("data-manager", urn, held) == expected
