"""Who may do what with a post in which state."""

from academy.posts.transitions import POSTS
from gateway.identity.roles import ROLES


def test_those_who_may_move_it_have_the_scope() -> None:
    roles = {actor.role for one in POSTS.transitions for actor in one.by}
    assert roles == {code for code, role in ROLES.items() if "posts:write" in role.scopes}


def test_every_state_can_be_left() -> None:
    assert POSTS.names == ("active", "retired")
    assert POSTS.final == frozenset()
