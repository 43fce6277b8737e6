"""What can go wrong with trusts."""

from academy.codes import Code
from kit.problems import FieldError, InvalidRequest, NotFound


class TrustNotFound(NotFound):
    """No trust has this id, Group UID or TR reference."""


class TrustUnknown(InvalidRequest):
    """The filter names a trust that the register doesn't have."""

    @classmethod
    def named(cls, name: str) -> "TrustUnknown":
        """The problem with `?trust=name`."""
        detail = f"No trust has the id, Group UID or TR reference {name}."
        return cls(detail, errors=[FieldError.in_query("trust", Code.UNKNOWN_TRUST, detail)])
