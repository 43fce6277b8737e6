"""What must never be false about moderations: one in force an academy, with a reason and a last day."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text

from kit.schema.access import Access
from kit.schema.tables import TableName, TenantTable, Versioned, instant_column, json_column, text_column

ONE_IN_FORCE = "moderation_one_in_force"


class Moderation(TenantTable, Versioned, table=True):
    """A person's override of what is computed for one academy, until it ends."""

    __tablename__: ClassVar[TableName] = "moderation"
    __table_args__ = (
        ForeignKeyConstraint(
            ["trust_id", "rating_id"],
            ["academy.rating.trust_id", "academy.rating.id"],
            name="moderation_rating_fkey",
        ),
        CheckConstraint("status in ('red', 'amber', 'green')", name="moderation_status"),
        CheckConstraint("length(btrim(reason)) > 0", name="moderation_reason"),
        CheckConstraint("ended_how in ('withdrawn', 'lapsed', 'replaced', 'left')", name="moderation_ended_how"),
        CheckConstraint("(ended_at is null) = (ended_how is null)", name="moderation_ended"),
        CheckConstraint(
            "ended_reason is null or ended_how = 'withdrawn' and length(btrim(ended_reason)) > 0",
            name="moderation_ended_reason",
        ),
        Index(ONE_IN_FORCE, "trust_id", "urn", unique=True, postgresql_where=text("ended_at is null")),
        Index("moderation_newest", "trust_id", "urn", text("made_at desc"), text("id desc")),
        {"schema": "academy"},
    )
    __access__ = Access(urn="urn", grants=("select", "insert", "update"))

    urn: int
    rating_id: UUID
    status: str = text_column()
    step: dict[str, Any] = json_column()
    computed_status: str = text_column()
    reason: str = text_column()
    evidence_url: str = text_column()
    lapses_on: date
    made_at: datetime = instant_column()
    made_by: str = text_column()
    ended_at: datetime | None = instant_column(nullable=True)
    ended_by: str | None = text_column(nullable=True)
    ended_how: str | None = text_column(nullable=True)
    ended_reason: str | None = text_column(nullable=True)

    def state_on(self, day: date) -> str:
        """Its state: one whose last day is over has lapsed, also before the job has ended it."""
        return self.ended_how or ("lapsed" if self.lapses_on < day else "in_force")
