"""What a grant may look like, and what grants give together."""

from datetime import date
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.grants.rules import (
    MOST_ACADEMIES_IN_A_VIEW,
    Grant,
    GrantState,
    extent_of,
    faults_of,
    leads,
    may_grant,
    state_of,
    views_of,
)
from gateway.identity.roles import ROLES, Extent, Holder, Level, Role, scopes_of

A_TRUST, B_TRUST, PROJECT = UUID(int=1), UUID(int=2), UUID(int=3)
DAY = date(2026, 11, 22)


def grant(
    role: str,
    *academies: int,
    trust: UUID = A_TRUST,
    project: UUID | None = None,
    ends_on: date | None = None,
) -> Grant:
    extent = extent_of(has_academies=bool(academies), has_project=project is not None)
    return Grant(trust, role, extent, frozenset(academies) or None, project, date(2026, 9, 1), ends_on)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_ended", "state"),
    [
        (date(2026, 11, 23), None, False, GrantState.SCHEDULED),
        (DAY, None, False, GrantState.CURRENT),
        (DAY, DAY, False, GrantState.CURRENT),
        (date(2026, 9, 1), date(2026, 11, 21), False, GrantState.EXPIRED),
        (date(2026, 9, 1), None, True, GrantState.ENDED),
        (date(2026, 11, 23), None, True, GrantState.ENDED),
    ],
)
def test_first_and_last_day_count(starts_on: date, ends_on: date | None, is_ended: bool, state: GrantState) -> None:
    assert state_of(starts_on=starts_on, ends_on=ends_on, is_ended=is_ended, on=DAY) is state


@pytest.mark.parametrize("role", ROLES.values())
def test_each_level_gives_its_own_roles_only(role: Role) -> None:
    for level in Level:
        allowed = may_grant(role.code, level=level)
        assert allowed is (role.level is level)


@pytest.mark.parametrize(
    ("role", "holder", "extent", "codes"),
    [
        ("headteacher", Holder.PERSON, Extent.ACADEMIES, []),
        ("headteacher", Holder.PERSON, Extent.TRUST, ["extent_unsuitable"]),
        ("headteacher", Holder.CLIENT, Extent.ACADEMIES, ["holder_unsuitable"]),
        ("mis-client", Holder.PERSON, Extent.PROJECT, ["holder_unsuitable", "extent_unsuitable"]),
        ("trust-admin", Holder.CLIENT, Extent.TRUST, []),
        ("trust-admin", Holder.PERSON, Extent.ACADEMIES, ["extent_unsuitable"]),
        ("teacher-researcher", Holder.PERSON, Extent.PROJECT, []),
    ],
)
def test_holder_and_reach_must_suit_the_role(role: str, holder: Holder, extent: Extent, codes: list[str]) -> None:
    found = faults_of(role, holder=holder, extent=extent, starts_on=DAY, ends_on=None, on=DAY)
    assert [fault.code for fault in found] == codes


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "codes"),
    [
        (DAY, DAY, []),
        (DAY, date(2026, 11, 21), ["ends_before_start"]),
        (date(2026, 9, 1), date(2026, 11, 21), ["ends_in_the_past"]),
    ],
)
def test_a_grant_ends_after_it_starts_and_not_in_the_past(starts_on: date, ends_on: date, codes: list[str]) -> None:
    found = faults_of(
        "trustee", holder=Holder.PERSON, extent=Extent.TRUST, starts_on=starts_on, ends_on=ends_on, on=DAY
    )
    assert [fault.code for fault in found] == codes


def test_a_trustee_who_heads_one_academy_is_not_the_head_of_all() -> None:
    views = views_of([grant("headteacher", 1), grant("trustee")])
    assert [(view.roles, view.academies) for view in views] == [
        (("trustee",), None),
        (("headteacher",), frozenset({1})),
    ]


def test_roles_for_the_same_academies_are_put_together() -> None:
    (view,) = views_of([grant("data-manager"), grant("auditor")])
    assert view.roles == ("data-manager", "auditor")
    assert view.scopes == ROLES["data-manager"].scopes | ROLES["auditor"].scopes


def test_lists_of_academies_with_the_same_roles_are_one_view() -> None:
    (view,) = views_of([grant("headteacher", 1), grant("headteacher", 2), grant("headteacher", 2, 3)])
    assert view.academies == frozenset({1, 2, 3})


def test_lists_with_different_roles_stay_apart() -> None:
    grants = [grant("headteacher", 1), grant("headteacher", 2), grant("improvement-adviser", 2)]
    views = views_of(grants)
    assert [(view.roles, view.academies) for view in views] == [
        (("headteacher", "improvement-adviser"), frozenset({2})),
        (("headteacher",), frozenset({1})),
    ]
    (asked,) = views_of(grants, role="headteacher")
    assert asked.academies == frozenset({1, 2})


def test_trusts_are_never_put_together() -> None:
    views = views_of([grant("trustee"), grant("trustee", trust=B_TRUST)])
    assert {view.trust_id for view in views} == {A_TRUST, B_TRUST}


def test_a_project_shows_no_academy() -> None:
    (view,) = views_of([grant("teacher-researcher", project=PROJECT)])
    assert view.academies == frozenset()
    assert view.project_id == PROJECT


def test_a_view_ends_with_the_first_of_its_grants() -> None:
    (view,) = views_of([grant("auditor", ends_on=DAY), grant("data-manager"), grant("trust-admin")])
    assert view.ends_on == DAY


def test_a_role_chooses_a_view_and_nothing_else_of_it() -> None:
    (view,) = views_of([grant("data-manager"), grant("auditor")], role="auditor")
    assert view.roles == ("auditor",)
    assert views_of([grant("auditor")], role="trustee") == []


def test_a_view_never_grows_beyond_what_fits_a_header() -> None:
    many = [grant("headteacher", *range(first, first + 200)) for first in (1, 201, 401)]
    views = views_of(many)
    assert max(len(view.academies or ()) for view in views) <= MOST_ACADEMIES_IN_A_VIEW
    assert frozenset().union(*(view.academies or () for view in views)) == frozenset(range(1, 601))


def test_who_leads_is_told_whatever_view_is_taken() -> None:
    grants = [grant("improvement-adviser"), grant("headteacher", 1), grant("chair-of-governors", 2)]
    assert leads(grants) == {1, 2}
    assert leads([grant("trustee")]) == frozenset()


def test_a_role_that_is_gone_counts_for_nothing() -> None:
    old = grant("wizard", 1)
    assert views_of([old]) == []
    assert leads([old]) == frozenset()


_GRANTS = st.lists(
    st.builds(
        lambda role, academies, trust: grant(role, *academies, trust=trust),
        st.sampled_from(sorted(ROLES)),
        st.frozensets(st.integers(1, 4), max_size=3),
        st.sampled_from([A_TRUST, B_TRUST]),
    ),
    max_size=6,
)


@given(_GRANTS)
def test_no_view_gives_a_scope_for_an_academy_that_no_grant_gives(grants: list[Grant]) -> None:
    def given_for(trust: UUID, urn: int | None) -> frozenset[str]:
        there = [
            one.role
            for one in grants
            if one.trust_id == trust and (one.academies is None or (urn is not None and urn in one.academies))
        ]
        return scopes_of(there)

    for view in views_of(grants):
        for urn in view.academies if view.academies is not None else [None]:
            assert view.scopes <= given_for(view.trust_id, urn)


@given(_GRANTS.filter(lambda grants: len(grants) <= 4))
def test_the_order_of_grants_decides_nothing(grants: list[Grant]) -> None:
    first = views_of(grants)
    assert all(views_of(other) == first for other in permutations(grants))
