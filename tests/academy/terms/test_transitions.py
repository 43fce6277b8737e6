"""Who may do what with a term in which state."""

from academy.terms.transitions import TERMS
from gateway.identity.roles import ROLES


def test_those_who_may_move_it_have_the_scope() -> None:
    roles = {actor.role for one in TERMS.transitions for actor in one.by}
    assert roles
    assert [role for role in roles if "terms:write" not in ROLES[role].scopes] == []
    assert {code for code, role in ROLES.items() if "terms:write" in role.scopes} == roles


def test_every_state_can_be_left() -> None:
    assert TERMS.names == ("active", "retired")
    assert TERMS.final == frozenset()
