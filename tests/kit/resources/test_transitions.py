"""States as data: who may do what in which state, and what is said when it can't be."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.identity.callers import Caller
from kit.problems import Forbidden, PreconditionFailed, Problem
from kit.resources.transitions import (
    Guard,
    Refusals,
    RoleMayNot,
    States,
    Transition,
    TransitionNotAllowed,
    others,
    own,
)

OURS, THEIRS = 100001, 100002


class LeadsIt(Forbidden):
    """Somebody who leads the academy may not."""


class NotReady(Problem):
    """It isn't ready."""

    status = 409


@dataclass(frozen=True)
class Thing:
    """Something with a state."""

    state: str = "draft"
    urn: int | None = OURS
    is_ready: bool = True


def ready(thing: Thing, _: Caller) -> Problem | None:
    """It is ready."""
    return None if thing.is_ready else NotReady("Not ready.")


READY: Guard = ready
THINGS: States[Thing] = States(
    "thing",
    initial="draft",
    transitions=(
        Transition("create", (), "draft", "Create", by=("adviser",)),
        Transition("submit", ("draft",), "submitted", "Submit", by=(own("head"), "adviser"), guards=(READY,)),
        Transition("approve", ("submitted",), "approved", "Approve", by=(others("chief"),)),
        Transition("return", ("submitted", "approved"), "draft", "Return", by=("chief",), needs_reason=True),
        Transition("expire", ("approved",), "expired", "Expire"),
    ),
)


def caller(*roles: str, leads: tuple[int, ...] = ()) -> Caller:
    """Somebody with these roles."""
    return Caller(
        subject="person:somebody",
        client_id="tests",
        trust_id=None,
        scopes=frozenset(),
        roles=frozenset(roles),
        academies=None,
        leads=frozenset(leads),
        expires_at=datetime(2030, 1, 1, tzinfo=UTC),
        token_id="token",
    )


def verbs(thing: Thing, who: Caller) -> list[str]:
    """What somebody may do now."""
    return [action.verb for action in THINGS.actions(thing, who)]


@pytest.mark.parametrize(
    ("thing", "who", "may"),
    [
        (Thing(), caller("adviser"), ["submit"]),
        (Thing(), caller("head", leads=(OURS,)), ["submit"]),
        (Thing(), caller("head", leads=(THEIRS,)), []),
        (Thing(is_ready=False), caller("adviser"), []),
        (Thing("submitted"), caller("chief"), ["approve", "return"]),
        (Thing("submitted"), caller("chief", leads=(OURS,)), ["return"]),
        (Thing("submitted", urn=None), caller("chief", leads=(OURS,)), ["approve", "return"]),
        (Thing("approved"), caller("chief"), ["return"]),
        (Thing("expired"), caller("chief", "adviser", "head"), []),
    ],
)
def test_actions_are_what_this_caller_may_do_now(thing: Thing, who: Caller, may: list[str]) -> None:
    assert verbs(thing, who) == may


ANYBODY = st.builds(
    lambda roles, leads: caller(*roles, leads=tuple(leads)),
    st.sets(st.sampled_from(["adviser", "head", "chief", "trustee"])),
    st.sets(st.sampled_from([OURS, THEIRS])),
)
ANYTHING = st.builds(Thing, st.sampled_from(THINGS.names), st.sampled_from([OURS, THEIRS, None]), st.booleans())


@given(ANYTHING, ANYBODY, st.sampled_from(["submit", "approve", "return", "expire", "dance"]))
def test_what_is_offered_is_exactly_what_succeeds(thing: Thing, who: Caller, verb: str) -> None:
    try:
        THINGS.check(verb, thing, who)
    except Problem:
        assert verb not in verbs(thing, who)
    else:
        assert verb in verbs(thing, who)


def test_the_role_is_checked_before_the_version_and_that_before_the_state() -> None:
    with pytest.raises(RoleMayNot):
        THINGS.check("approve", Thing("draft"), caller("trustee"), if_match='"1"', tag='"2"')
    with pytest.raises(PreconditionFailed):
        THINGS.check("approve", Thing("draft"), caller("chief"), if_match='"1"', tag='"2"')
    with pytest.raises(TransitionNotAllowed) as refused:
        THINGS.check("approve", Thing("approved"), caller("chief"), if_match='"2"', tag='"2"')
    body = refused.value.body(instance="/", trace_id="none")
    assert (body["code"], body["state"], body["allowed"]) == ("transition-not-allowed", "approved", ["return"])
    assert body["detail"] == "You can't approve this thing: it is approved."


def test_a_guard_says_what_is_wrong() -> None:
    with pytest.raises(NotReady):
        THINGS.check("submit", Thing(is_ready=False), caller("adviser"))


def test_the_role_that_counts_is_named() -> None:
    assert THINGS.check("submit", Thing(), caller("adviser", "head", leads=(OURS,))).as_role == "head"
    assert THINGS.check("submit", Thing(), caller("adviser", "head")).as_role == "adviser"
    assert THINGS.check_create(caller("adviser")).as_role == "adviser"
    with pytest.raises(RoleMayNot):
        THINGS.check_create(caller("head"))


def test_only_the_service_takes_what_nobody_may() -> None:
    assert THINGS.by_itself("expire").as_role is None
    with pytest.raises(LookupError):
        THINGS.by_itself("approve")


def test_a_slice_may_name_its_own_problems() -> None:
    named: States[Any] = States(
        "thing", initial="draft", transitions=THINGS.transitions, refusals=Refusals(role=LeadsIt)
    )
    with pytest.raises(LeadsIt, match="You lead this academy"):
        named.check("approve", Thing("submitted"), caller("chief", leads=(OURS,)))


def test_states_and_ends_are_read_from_the_table() -> None:
    assert THINGS.names == ("draft", "submitted", "approved", "expired")
    assert THINGS.final == {"expired"}
    twice = [*THINGS.transitions, Transition("submit", ("draft",), "approved", "Submit")]
    with pytest.raises(ValueError, match="from one state to two"):
        States("thing", initial="draft", transitions=twice)


def test_a_thing_is_not_moved_by_being_looked_at() -> None:
    thing = Thing("submitted")
    THINGS.actions(thing, caller("chief"))
    assert thing == replace(thing)
