"""What can go wrong with academies."""

from __future__ import annotations

from academy.codes import Code
from kit.problems import FieldError, InvalidRequest, NotFound


class AcademyNotFound(NotFound):
    """The register has no school with this URN."""


class NothingToLookUp(InvalidRequest):
    """The body names no school."""

    @classmethod
    def because(cls, detail: str) -> NothingToLookUp:
        """The problem with the whole body."""
        return cls(detail, errors=[FieldError.in_body([], Code.NOTHING_TO_LOOK_UP, detail)])


class TooManyToLookUp(InvalidRequest):
    """The body names more schools than one look-up allows."""

    @classmethod
    def because(cls, detail: str) -> TooManyToLookUp:
        """The problem with the whole body."""
        return cls(detail, errors=[FieldError.in_body([], Code.TOO_MANY_TO_LOOK_UP, detail)])
