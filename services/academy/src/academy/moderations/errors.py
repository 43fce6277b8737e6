"""What can go wrong with moderations."""

from academy.codes import Code
from kit.problems import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from kit.resources.transitions import TransitionNotAllowed


class RatingNotFound(NotFound):
    """The caller's trust has no such rating, or it is of an academy that the grant doesn't cover."""


class ModerationNotFound(NotFound):
    """Your trust has no override with this id, or your grant doesn't cover its academy."""


class LeadsThisAcademy(Forbidden):
    """You can't moderate for an academy that you lead."""


class NotItsMaker(Forbidden):
    """Only the person who made an override can add evidence to it."""


class RatingNotCurrent(Conflict):
    """Only the current rating can be overridden; a newer one exists."""


class ModerationEnded(TransitionNotAllowed):
    """The override isn't in force: it was withdrawn, has lapsed, or was replaced."""


class ModerationNotPossible(InvalidRequest):
    """The override can't be made from this request; `errors` says why."""

    @classmethod
    def because(cls, field: str, code: Code, detail: str) -> "ModerationNotPossible":
        """The problem with one field of the body."""
        return cls(detail, errors=[FieldError.in_body([field], code, detail)])
