"""Grants on the wire."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.identity.grants.rules import state_of
from gateway.identity.roles import ROLES
from gateway.identity.tables import RoleGrant
from kit.etags import etag
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page

if TYPE_CHECKING:
    RoleCode = str
else:
    # Listed in full in the contract, and written once: in `ROLES`.
    RoleCode = Literal[tuple(ROLES)]
Urn = Annotated[int, Field(ge=1, le=9_999_999)]
State = Literal["scheduled", "current", "expired", "ended"]


class GrantCreate(BaseModel):
    """A role for a person or for a client (one of both)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"role": "data-manager", "person_id": "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10", "starts_on": "2026-11-22"}
            ]
        },
    )

    role: RoleCode = Field(description="The role; docs/access-matrix.md says what each may do.")
    person_id: UUID | None = Field(default=None, description="Who gets it, when a person does.")
    client_id: UUID | None = Field(default=None, description="Who gets it, when a client does: its `id`.")
    academies: Annotated[list[Urn], Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="URNs, when it covers some academies only.", examples=[[139148]]
    )
    project_id: UUID | None = Field(default=None, description="The research project, when it covers one only.")
    starts_on: date | None = Field(
        default=None, description="First day (London); today unless given.", examples=["2026-11-22"]
    )
    ends_on: date | None = Field(default=None, description="Last day; no end unless given.", examples=["2027-08-31"])


class GrantParams(ListParams):
    """Filters of the list of grants."""

    role: RoleCode | None = Field(default=None, description="Only grants of this role.")
    person_id: UUID | None = Field(default=None, description="Only grants of this person.")
    client_id: UUID | None = Field(default=None, description="Only grants of this client.")
    state: State | None = Field(default=None, description="Only grants in this state today.")


class GrantOut(Tagged):
    """A grant."""

    id: UUID = Field(description="Its id.", examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"])
    role: str = Field(
        description="The role; docs/access-matrix.md lists them all, and more are added.", examples=["headteacher"]
    )
    person_id: UUID | None = Field(description="Who holds it, when a person does.", examples=[None])
    client_id: UUID | None = Field(description="Who holds it, when a client does.", examples=[None])
    extent: Literal["trust", "academies", "project"] = Field(
        description="Whether it covers the whole trust, some academies or one project.", examples=["academies"]
    )
    academies: list[int] | None = Field(
        description="URNs, ascending; null unless it covers some academies.", examples=[[139148]]
    )
    project_id: UUID | None = Field(description="Null unless it covers one project.", examples=[None])
    starts_on: date = Field(description="First day.", examples=["2026-11-22"])
    ends_on: date | None = Field(description="Last day; null: no end.", examples=["2027-08-31"])
    state: State = Field(description="Its state today.", examples=["current"])
    created_at: datetime = Field(description="When it was given.", examples=["2026-11-22T09:00:00Z"])
    created_by: str = Field(description="Subject of who gave it.", examples=["person:0193e2f1"])
    ended_at: datetime | None = Field(description="When somebody ended it; null otherwise.", examples=[None])
    ended_by: str | None = Field(description="Subject of who ended it.", examples=[None])

    @classmethod
    def of(cls, grant: RoleGrant, on: date) -> Self:
        """A grant as it is on a day; its tag moves with the days too."""
        is_ended = grant.ended_at is not None
        state = state_of(starts_on=grant.starts_on, ends_on=grant.ends_on, is_ended=is_ended, on=on)
        fields = grant.model_dump(exclude={"trust_id", "version"})
        return cls(**fields, state=state.value).tagged(etag(f"{grant.version}-{state}"))


class GrantPage(Page[GrantOut]):
    """One page of grants."""
