"""What each role may do."""

import pytest

from gateway.identity.roles import ROLES, SCOPES, Extent, Holder, Level, Role, scopes_of


def test_every_scope_of_a_role_is_explained() -> None:
    used = {scope for role in ROLES.values() for scope in role.scopes}
    assert used == set(SCOPES)


def test_an_improvement_lead_does_what_an_adviser_does_for_the_whole_trust() -> None:
    assert ROLES["improvement-lead"].scopes == ROLES["improvement-adviser"].scopes
    assert ROLES["improvement-lead"].extents == {Extent.TRUST}


def test_a_governor_reads_what_the_chair_reads_and_changes_nothing() -> None:
    # A link gives away what it shows; that is the chair's to do.
    assert ROLES["governor"].scopes == ROLES["chair-of-governors"].scopes - {"links:write"}
    assert all(scope.endswith(":read") for scope in ROLES["governor"].scopes)


def test_an_alliance_partner_sees_nothing_yet() -> None:
    assert ROLES["alliance-partner"].scopes == frozenset()


def test_a_status_reader_reads_statuses_and_nothing_else() -> None:
    assert ROLES["status-reader"].scopes == {
        "rag-statuses:read",
        "ratings:read",
        "academies:read",
        "events:read",
    }


def test_a_platform_operator_sees_no_ratings_and_no_criteria_of_a_trust() -> None:
    seen = ROLES["platform-operator"].scopes
    assert not {scope for scope in seen if scope.startswith(("ratings:", "criteria:", "rag-statuses:"))}


@pytest.mark.parametrize("role", [role for role in ROLES.values() if role.leads])
def test_who_leads_academies_says_which_and_moderates_nothing(role: Role) -> None:
    assert role.extents == {Extent.ACADEMIES}
    assert "ratings:moderate" not in role.scopes


@pytest.mark.parametrize("scope", ["identity:write", "platform:admin", "reference:write", "events:follow"])
def test_powerful_scopes_belong_to_administrators_only(scope: str) -> None:
    holders = {code for code, role in ROLES.items() if scope in role.scopes}
    assert holders <= {"trust-admin", "platform-operator", "follower"}


def test_only_platform_roles_reach_across_trusts() -> None:
    across = {"platform:admin", "reference:write", "events:follow"}
    for role in ROLES.values():
        # A service reader's token is of one trust: its role reaches across, and no token of it does.
        reaches = bool(role.scopes & across) or role.code == "service-reader"
        assert (role.level is Level.PLATFORM) is reaches


def test_a_service_reader_reads_and_is_never_a_person() -> None:
    role = ROLES["service-reader"]
    assert all(scope.endswith(":read") for scope in role.scopes)
    assert role.holders == {Holder.CLIENT}


def test_an_auditor_changes_nothing() -> None:
    assert all(scope.endswith(":read") for scope in ROLES["auditor"].scopes)


def test_every_role_can_be_held_by_somebody_somewhere() -> None:
    assert all(role.holders and role.extents for role in ROLES.values())
    assert ROLES["mis-client"].holders == {Holder.CLIENT}


def test_scopes_of_several_roles_add_up_and_unknown_roles_give_none() -> None:
    assert scopes_of(["trustee", "data-manager"]) == ROLES["trustee"].scopes | ROLES["data-manager"].scopes
    assert scopes_of(["wizard"]) == frozenset()


def test_a_warehouse_copies_the_board_the_figures_and_the_measures_and_follows_the_feed() -> None:
    role = ROLES["warehouse"]
    assert role.scopes == {
        "academies:read",
        "events:read",
        "measures:read",
        "observations:read",
        "rag-statuses:read",
        "ratings:read",
    }
    assert role.holders == {Holder.CLIENT}


def test_a_mis_client_reads_what_its_push_did() -> None:
    assert {"events:read", "imports:read", "observations:read"} <= ROLES["mis-client"].scopes
