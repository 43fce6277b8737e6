"""What must never be false about erasures, and who sees a row."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index

from kit.schema.access import Access
from kit.schema.tables import TableName, TenantTable, instant_column, text_column


class ObservationErasure(TenantTable, table=True):
    """That a figure was erased: which, when, by whom, why, and from how many places. Never its value."""

    __tablename__: ClassVar[TableName] = "observation_erasure"
    __table_args__ = (
        CheckConstraint("length(btrim(reason)) > 0", name="observation_erasure_reason"),
        Index("observation_erasure_newest", "trust_id", "erased_at", "id"),
        {"schema": "academy"},
    )
    __access__ = Access(urn="urn", grants=("select", "insert", "update"))

    observation_id: UUID
    urn: int
    measure: str = text_column()
    pupil_group: str = text_column()
    academic_year: str = text_column()
    period: str = text_column()
    reason: str = text_column()
    erased_at: datetime = instant_column()
    erased_by: str = text_column()
    erased_as: str = text_column()
    figures: int
    ratings: int
    events: int
    files: int
