"""What can go wrong with grants."""

from kit.problems import Conflict, Forbidden, InvalidRequest, NotFound


class GrantNotFound(NotFound):
    """There is no such grant that you may see."""


class RoleNotGrantable(Forbidden):
    """The role isn't yours to give."""


class GrantToOneself(Forbidden):
    """Nobody widens their own rights; ask another administrator."""


class GrantInvalid(InvalidRequest):
    """The role can't be held by that holder, that far or on those days."""


class GrantEnded(Conflict):
    """The grant was ended already."""
