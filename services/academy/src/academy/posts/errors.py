"""What can go wrong with posts."""

from academy.codes import Code
from kit.problems import Conflict, FieldError, InvalidRequest, NotFound


class PostNotFound(NotFound):
    """There is no such post that you may see."""


class PostNotPossible(InvalidRequest):
    """Nobody can hold this role there; `errors` says why."""

    @classmethod
    def because(cls, field: str, code: Code, detail: str) -> "PostNotPossible":
        """The problem with one field of the body."""
        return cls(detail, errors=[FieldError.in_body([field], code, detail)])


class PostExists(Conflict):
    """There is an active post of this role and title there already."""
