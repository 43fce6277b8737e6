"""What can go wrong with erasures."""

from kit.problems import Conflict, NotFound


class ObservationNotFound(NotFound):
    """Your trust has no figure of its own with this id. Published figures can't be erased."""


class NothingToErase(Conflict):
    """The figure has no value."""


class ErasureNotFound(NotFound):
    """There is no erasure with this id that you may see."""
