"""What can go wrong with moderations."""

from kit.problems import Conflict, FieldError, Forbidden, InvalidRequest, NotFound
from kit.resources.transitions import TransitionNotAllowed


class RatingNotFound(NotFound):
    """The caller's trust has no such rating, or it is of an academy that the grant doesn't cover."""


class ModerationNotFound(NotFound):
    """The caller's trust has no such moderation, or it is of an academy that the grant doesn't cover."""


class LeadsThisAcademy(Forbidden):
    """Nobody moderates for an academy that they lead."""


class NotItsMaker(Forbidden):
    """Only who made an override adds evidence to it."""


class RatingNotCurrent(Conflict):
    """Only the rating that is told now can be overridden; this one is history."""


class ModerationEnded(TransitionNotAllowed):
    """It counts no longer: it was withdrawn, has lapsed, or was replaced."""


class ModerationNotPossible(InvalidRequest):
    """The override can't be made as it is; `errors` says why."""

    @classmethod
    def because(cls, field: str, code: str, detail: str) -> "ModerationNotPossible":
        """The problem with one field of the body."""
        return cls(detail, errors=[FieldError.in_body([field], code, detail)])
