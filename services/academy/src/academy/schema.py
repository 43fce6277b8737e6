"""Every table of the academy schema, so that references between slices are known wherever rows are written."""

from __future__ import annotations

from types import ModuleType

import academy.academies.tables
import academy.criteria.tables
import academy.imports.tables
import academy.moderations.tables
import academy.observations.tables
import academy.rag_statuses.tables
import academy.ratings.tables
import academy.trusts.tables

TABLES: tuple[ModuleType, ...] = (
    academy.academies.tables,
    academy.criteria.tables,
    academy.imports.tables,
    academy.moderations.tables,
    academy.observations.tables,
    academy.rag_statuses.tables,
    academy.ratings.tables,
    academy.trusts.tables,
)
"""The modules that define tables; the order means nothing."""
