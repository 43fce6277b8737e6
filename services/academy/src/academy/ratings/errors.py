"""What can go wrong with ratings."""

from __future__ import annotations

from academy.academies.errors import AcademyNotFound
from academy.moderations.errors import RatingNotFound
from academy.rag_statuses.errors import AsOfInFuture

__all__ = ["AcademyNotFound", "AsOfInFuture", "RatingNotFound"]
