"""What can go wrong with academies."""

from kit.problems import InvalidRequest, NotFound


class AcademyNotFound(NotFound):
    """The register has no school with this URN."""


class NothingToLookUp(InvalidRequest):
    """The body names no school."""


class TooManyToLookUp(InvalidRequest):
    """The body names more schools than one look-up allows."""
