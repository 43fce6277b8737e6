"""What can go wrong with links."""

from collections.abc import Sequence

from kit.field_codes import FieldCode
from kit.problems import Conflict, FieldError, InvalidRequest, NotFound


class LinkNotFound(NotFound):
    """There is no such link, it has ended, or it isn't the caller's to see."""


class LinkNotPossible(InvalidRequest):
    """The link can't be made from this request; `errors` says why."""

    @classmethod
    def because(cls, path: Sequence[str], code: FieldCode, detail: str) -> "LinkNotPossible":
        """The problem with one field of the body."""
        return cls(detail, errors=[FieldError.in_body(path, code, detail)])


class TooManyLinks(Conflict):
    """You have the largest number of links allowed; end one that isn't used."""
