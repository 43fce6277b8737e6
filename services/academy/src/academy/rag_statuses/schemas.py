"""RAG statuses as clients read them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from academy.academies.schemas import Phase
from academy.criteria.rules import Status
from academy.parameters import Instant, LaCodes
from academy.rag_statuses.rules import WithoutColour
from kit.resources.pages import ListParams, Page
from sector.parameters import Urn


class RagStepOut(BaseModel):
    """A step of the trust's own scale."""

    code: str = Field(description="Names the step.", examples=["amber"])
    label: str = Field(description="The word that people see.", examples=["Amber"])
    order: int = Field(description="Its place on the scale, the best being 1.", examples=[2])


class RagCountsOut(BaseModel):
    """How many criteria have each computed status."""

    red: int = Field(description="Criteria in red.", examples=[1])
    amber: int = Field(description="Criteria in amber.", examples=[2])
    green: int = Field(description="Criteria in green.", examples=[2])
    not_assessed: int = Field(description="Criteria without a colour.", examples=[0])


class RagCriteriaSetOut(BaseModel):
    """The criteria set that decided."""

    id: UUID = Field(description="Id of the set.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    title: str = Field(description="Its name.", examples=["Demonstration criteria, secondary"])
    version: int = Field(description="Its number among the trust's sets of the phase.", examples=[1])


class RagInclude(StrEnum):
    """What a list of RAG statuses can hold beside the statuses."""

    CRITERIA = "criteria"


class RagSort(StrEnum):
    """The order of the statuses."""

    NAME = "name"
    NAME_DESCENDING = "-name"
    STATUS = "status"
    STATUS_DESCENDING = "-status"
    CHANGED = "changed"
    CHANGED_DESCENDING = "-changed"


class RagCriterionOut(BaseModel):
    """One criterion of the newest rating: the reason for the colour. The rating itself has all of it."""

    code: str = Field(description="Names the criterion inside the set.", examples=["attainment_8"])
    title: str = Field(description="The question.", examples=["Attainment 8 against England"])
    status: Status = Field(description="Its computed status.", examples=["green"])
    step: RagStepOut | None = Field(description="The step of the trust's own scale; null when not assessed.")
    value: float | None = Field(description="The figure; null when there is none.", examples=[46.4])
    unit: str = Field(description="What the number counts.", examples=["points"])
    period: str | None = Field(description="Academic year, with the term if not all of it.", examples=["2024/25"])
    reason: str | None = Field(description="Why there is no colour; null when there is one.", examples=[None])
    sentence: str = Field(
        description="All of it in one plain sentence.",
        examples=["Attainment 8 was 46.4 points in 2024/25, 0.6 points above the England state-funded figure."],
    )


class RagStatusOut(BaseModel):
    """The published status of one academy."""

    urn: Urn = Field(description="The academy.", examples=[135874])
    name: str = Field(description="Its name.", examples=["Manchester Enterprise Academy"])
    phase: Phase | None = Field(description="Its phase; null when unknown.", examples=["secondary"])
    status: Status = Field(
        description="The published status: the override in force, or else the computed status.", examples=["amber"]
    )
    label: str = Field(description="The trust's own word for it.", examples=["Amber"])
    step: RagStepOut | None = Field(description="The step of the trust's own scale; null when not assessed.")
    reason: WithoutColour | None = Field(
        description="Why the status is `not_assessed`; null with a colour. `no_criteria`: the trust has published no "
        "criteria for its phase. `phase_unknown`: the register states no phase. `not_rated_yet`: its rating is being "
        "computed. `too_little_evidence`: too few criteria have figures.",
        examples=[None],
    )
    moderated: bool = Field(description="Is it a person's override?", examples=[False])
    computed_status: Status = Field(description="What the criteria say.", examples=["amber"])
    computed_changed_since: bool = Field(
        description="Has the computed status moved since the override was made?", examples=[False]
    )
    counts: RagCountsOut = Field(description="How many criteria have each computed status.")
    criteria_set: RagCriteriaSetOut | None = Field(description="The criteria that decided; null without a rating.")
    rating_id: UUID | None = Field(
        description="The rating, with every reason; null when there is none yet.",
        examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"],
    )
    rated_at: datetime | None = Field(description="When it was computed.", examples=["2026-11-22T08:00:00Z"])
    data_as_at: datetime | None = Field(
        description="When the newest of its figures was recorded.", examples=["2026-11-22T07:00:00Z"]
    )
    is_removed: bool = Field(
        description="True only with `updated_since`: it has left the trust, or no longer matches the filters.",
        examples=[False],
    )
    criteria: list[RagCriterionOut] | None = Field(
        description="With `include=criteria` every criterion of the rating, in the order of the set (none without a "
        "rating); else null."
    )


class RagStatusPage(Page[RagStatusOut]):
    """A page of RAG statuses."""

    synced_to: datetime = Field(
        description="Everything recorded up to this instant is in the list. Send it as `updated_since` next time.",
        examples=["2026-11-22T08:00:00Z"],
    )


class RagStatusListParams(ListParams):
    """Filters of the list of RAG statuses."""

    status: Annotated[tuple[Status, ...], Field(max_length=4, description="With one of these statuses.")] = ()
    phase: Annotated[tuple[Phase, ...], Field(max_length=7, description="Of these phases.")] = ()
    la: LaCodes = ()
    sort: Annotated[
        RagSort,
        Field(
            description="In this order, `-` for the reverse. `status`: red, amber, green, not assessed. `changed`: "
            "when the rating, override, name or phase that is shown last changed, `-changed` the newest first; not "
            "with `as_of`. Academies that are alike in it are sorted by name."
        ),
    ] = RagSort.NAME
    include: Annotated[
        tuple[RagInclude, ...],
        Field(
            max_length=1,
            description="What to add to each status: `criteria`, the reasons for its colour; needs `ratings:read` too.",
        ),
    ] = ()
    as_of: Annotated[
        Instant | None,
        Field(
            description="As it was published at this instant, for the academies that belonged to the trust then. "
            "An instant in the future is rejected."
        ),
    ] = None
    updated_since: Annotated[
        Instant | None,
        Field(
            description="Only what changed since this instant, including academies that have left. "
            "Send the `synced_to` of your last request. Can't be combined with `as_of`."
        ),
    ] = None
