"""The SQL of what an import changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_
from sqlalchemy.orm import aliased
from sqlmodel import col

from academy.imports.tables import Import
from academy.observations.tables import Observation
from kit.identity.callers import Caller
from kit.resources.rows import visible

Before = aliased(Observation)
_SAME = ("trust_id", "urn", "measure", "academic_year", "pupil_group", "period", "release")


def changes(caller: Caller, found: Import, ended_at: datetime) -> Select[Observation, Observation | None]:
    """The figures that an import brought, each with the one that it replaced.

    A figure that was restored when a later import was taken back has the same import and was recorded after its end.
    """
    same = and_(*(getattr(Before, name) == getattr(Observation, name) for name in _SAME))
    replaced = and_(same, col(Before.superseded_at) == col(Observation.recorded_at))
    return (
        visible(Observation, caller)
        .add_columns(Before)
        .outerjoin(Before, replaced)
        .where(
            col(Observation.import_id) == found.id,
            col(Observation.recorded_at) <= ended_at,
            col(Observation.id) >= first_id_of(found.started_at or found.created_at),
        )
    )


def first_id_of(at: datetime) -> UUID:
    """The least id (version 7) that could have been made at an instant: figures of an import have later ones.

    Without it the trust's whole key would be read up to there.
    """
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (0x7 << 76) | (0b10 << 62))
