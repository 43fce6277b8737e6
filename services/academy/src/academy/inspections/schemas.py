"""Inspections of many academies as clients see them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from academy.academies.schemas import AcademyTrustOut, InspectionKind, InspectionOut
from academy.academies.tables import Inspection
from academy.parameters import Instant
from academy.trusts.tables import Membership, TrustRegister
from kit.resources.pages import ListParams, Page
from sector.parameters import TrustName, Urn


class TrustInspectionOut(InspectionOut):
    """The result of one inspection in a list that can be copied."""

    is_removed: bool = Field(
        description="True only with `updated_since`: it was corrected or taken back, or its academy has left the "
        "requested trust. Delete your copy of it.",
        examples=[False],
    )

    @classmethod
    def of_row(
        cls, inspection: Inspection, membership: Membership | None, trust: TrustRegister | None, is_removed: bool
    ) -> Self:
        """An inspection with the membership of its academy that is shown with it."""
        belongs = None if membership is None or trust is None else AcademyTrustOut.of(membership, trust)
        return cls.of(inspection, belongs, is_removed=is_removed)


class TrustInspectionPage(Page[TrustInspectionOut]):
    """A page of inspections of many academies."""

    synced_to: datetime = Field(
        description="Everything recorded up to this instant is in the list. Send it as `updated_since` next time.",
        examples=["2026-11-22T08:00:00Z"],
    )


class InspectionListParams(ListParams):
    """Filters of the list of inspections."""

    urn: Annotated[tuple[Urn, ...], Field(max_length=500, description="Of these academies.")] = ()
    trust: Annotated[
        TrustName | None,
        Field(
            description="Of academies of this trust: its id, Group UID or TR reference, or `any` for all of England. "
            "Default: your own trust."
        ),
    ] = None
    kind: Annotated[tuple[InspectionKind, ...], Field(max_length=3, description="Under these frameworks.")] = ()
    updated_since: Annotated[
        Instant | None,
        Field(
            description="Only what changed since this instant: inspections that are new, corrected or taken back, and "
            "those of academies that joined or left. Send the `synced_to` of your last request."
        ),
    ] = None
