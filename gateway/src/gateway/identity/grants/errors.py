"""What can go wrong with grants."""

from kit.problems import Conflict, Forbidden, InvalidRequest, NotFound


class GrantNotFound(NotFound):
    """There is no such grant that you may see."""


class RoleNotGrantable(Forbidden):
    """You may not give this role."""


class GrantToOneself(Forbidden):
    """You can't give a role to yourself, or data to a client that you registered; another administrator must do it."""


class GrantInvalid(InvalidRequest):
    """The role can't be held by this holder, with this extent or on these days."""


class GrantEnded(Conflict):
    """The grant has already ended."""
