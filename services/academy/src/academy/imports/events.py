"""What imports announce on the feed."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from kit.events.recording import EventType

Ending = Literal["succeeded", "failed", "cancelled"]
"""The states in which an import ends."""


class ImportFinished(BaseModel):
    """An import has finished."""

    model_config = ConfigDict(extra="forbid")

    import_id: UUID = Field(description="The import.")
    kind: str = Field(description="What the file was.")
    academic_year: str | None = Field(description="The academic year that was sent with it.")
    dry_run: bool = Field(description="Whether it was only checked and counted.")
    state: Ending = Field(description="How it ended.")
    rows_read: int = Field(description="Rows in the file.")
    rows_accepted: int = Field(description="Rows that could be read and were applied, as in the import.")
    rows_new: int = Field(description="Figures or entries that are new.")
    rows_changed: int = Field(description="Figures or entries that replaced others.")
    errors_total: int = Field(description="Number of errors for which the file was rejected.")
    by: str | None = Field(description="Who cancelled it: subject of the token; null for one that ended by itself.")
    as_role: str | None = Field(description="In which role it was cancelled; null for one that ended by itself.")


class ObservationChanged(BaseModel):
    """Figures of one academy, measure and academic year are new or changed; read them to know which."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    measure: str = Field(description="The measure.")
    academic_year: str = Field(description="The academic year.")
    layer: Literal["national", "trust"] = Field(description="Whose figures they are.")
    figures_new: int = Field(description="Figures that are new.")
    figures_changed: int = Field(description="Figures that replaced others.")
    figures_withdrawn: int = Field(
        default=0, description="Figures that ended without a successor, because their import was taken back."
    )
    import_id: UUID = Field(description="The import that loaded them, or that was taken back.")


class ImportWithdrawn(BaseModel):
    """An import was taken back: its figures ended, and what stood before them counts again."""

    model_config = ConfigDict(extra="forbid")

    import_id: UUID = Field(description="The import.")
    kind: str = Field(description="What the file was.")
    academic_year: str | None = Field(description="The academic year that was sent with it.")
    figures_restored: int = Field(description="Figures or inspections that gave way to what stood before.")
    figures_withdrawn: int = Field(description="Figures or inspections that ended: nothing stood before.")
    by: str | None = Field(description="Who took it back: subject of the token.")
    as_role: str | None = Field(description="In which role.")


class InspectionRecorded(BaseModel):
    """An inspection of an academy is new in the register, was corrected, or was taken back with its import."""

    model_config = ConfigDict(extra="forbid")

    urn: int = Field(description="The academy.")
    inspection_id: UUID = Field(description="The inspection.")
    replaces: UUID | None = Field(
        description="The entry whose place it takes: it corrects that one, or stands again after that one was taken "
        "back. Null for an inspection that is new."
    )
    kind: str = Field(description="Which framework.")
    inspected_on: date = Field(description="Day of the inspection.")
    published_on: date | None = Field(description="Day of the report.")
    overall_grade: str | None = Field(description="The overall grade where there is one.")
    category_of_concern: str | None = Field(description="Special measures, serious weaknesses and the like.")
    safeguarding: str | None = Field(description="Met or not met; null when it wasn't reported.")
    import_id: UUID = Field(description="The import that loaded it, or that was taken back.")
    is_withdrawn: bool = Field(
        default=False, description="True when it was taken back and nothing stood before: delete your copy of it."
    )


class ComparisonChanged(BaseModel):
    """Figures of England, a region or a local authority, with which academies are compared, are new or changed."""

    model_config = ConfigDict(extra="forbid")

    measure: str = Field(description="The measure.")
    academic_year: str = Field(description="The academic year.")
    area: Literal["england", "region", "la"] = Field(
        description="England, or a region or local authority (`la`) that has academies of the trust."
    )
    area_code: str = Field(description="Code of the area.")
    figures: int = Field(description="How many figures are new or changed.")
    figures_withdrawn: int = Field(
        default=0, description="Figures that ended without a successor, because their import was taken back."
    )
    import_id: UUID = Field(description="The import that loaded them, or that was taken back.")


IMPORT_FINISHED = EventType(
    type="org.trellis.academy.import.finished.v1",
    title="An import has finished",
    scope="imports:read",
    data=ImportFinished,
    # Somebody with a grant for some academies mustn't see what others loaded for the rest.
    whole_tenant=True,
)
IMPORT_WITHDRAWN = EventType(
    type="org.trellis.academy.import.withdrawn.v1",
    title="An import was taken back",
    scope="imports:read",
    data=ImportWithdrawn,
    whole_tenant=True,
)
OBSERVATION_CHANGED = EventType(
    type="org.trellis.academy.observation.changed.v1",
    title="Figures of an academy, a measure and a year are new or changed",
    scope="observations:read",
    data=ObservationChanged,
)
INSPECTION_RECORDED = EventType(
    type="org.trellis.academy.inspection.recorded.v1",
    title="An inspection of an academy is new, was corrected or was taken back",
    scope="academies:read",
    data=InspectionRecorded,
)
COMPARISON_CHANGED = EventType(
    type="org.trellis.academy.comparison.changed.v1",
    title="Figures of England, a region or a local authority, for comparison, are new or changed",
    scope="observations:read",
    data=ComparisonChanged,
)
