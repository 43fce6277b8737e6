"""What can go wrong with terms."""

from academy.codes import Code
from kit.problems import Conflict, FieldError, InvalidRequest, NotFound


class TermNotFound(NotFound):
    """There is no such term that you may see."""


class TermNotPossible(InvalidRequest):
    """The dates don't make a term; `errors` says why."""

    @classmethod
    def because(cls, field: str, code: Code, detail: str) -> "TermNotPossible":
        """The problem with one field of the body."""
        return cls(detail, errors=[FieldError.in_body([field], code, detail)])


class TermsClash(Conflict):
    """The academic year has this term already, or its terms would overlap or not follow one another."""
