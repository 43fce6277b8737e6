"""What can go wrong with measures."""

from __future__ import annotations

from kit.problems import NotFound


class MeasureNotFound(NotFound):
    """The catalogue has no measure with this code."""
