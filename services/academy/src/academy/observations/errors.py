"""What can go wrong with figures."""

from __future__ import annotations

from academy.codes import Code
from kit.problems import FieldError, InvalidRequest


class InstantInFuture(InvalidRequest):
    """The instant is in the future."""

    @classmethod
    def named(cls, parameter: str) -> InstantInFuture:
        """The problem with this parameter."""
        detail = "This instant is in the future."
        return cls(detail, errors=[FieldError.in_query(parameter, Code.IN_THE_FUTURE, detail)])
