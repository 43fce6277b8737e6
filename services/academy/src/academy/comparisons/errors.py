"""What can go wrong with series."""

from __future__ import annotations

from kit.field_codes import FieldCode
from kit.problems import FieldError, InvalidRequest


class AreaUnknown(InvalidRequest):
    """The area isn't named, and no academy says which it is; or nobody knows it."""

    @classmethod
    def because(cls, parameter: str, code: FieldCode, detail: str) -> AreaUnknown:
        """The problem with this parameter."""
        return cls(detail, errors=[FieldError.in_query(parameter, code, detail)])
