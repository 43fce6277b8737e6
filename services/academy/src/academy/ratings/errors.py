"""What can go wrong with ratings."""

from __future__ import annotations

from academy.academies.errors import AcademyNotFound
from academy.rag_statuses.errors import AsOfInFuture
from kit.problems import NotFound

__all__ = ["AcademyNotFound", "AsOfInFuture", "RatingNotFound"]


class RatingNotFound(NotFound):
    """The caller's trust has no such rating, or it is of an academy that the grant doesn't cover."""
