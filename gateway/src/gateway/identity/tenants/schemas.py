"""Tenants on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.identity.people.schemas import Account, Email
from gateway.identity.tables import Tenant
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from kit.resources.patches import MergePatch

GroupUid = Annotated[str, Field(pattern=r"^[0-9]{1,10}$")]
GroupId = Annotated[str, Field(pattern=r"^TR[0-9]{5,6}$")]
TrustName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
TrustReference = Annotated[
    str,
    Field(
        min_length=1,
        max_length=36,
        pattern=r"^[0-9A-Za-z-]+$",
        description="A trust by its id, Group UID or TR reference.",
        examples=["16846"],
    ),
]


class TenantCreate(BaseModel):
    """A trust that begins to use Trellis."""

    model_config = ConfigDict(extra="forbid")

    group_uid: GroupUid = Field(description="Group UID in GIAS.", examples=["16846"])
    group_id: GroupId | None = Field(default=None, description="TR reference.", examples=["TR03794"])
    name: TrustName = Field(description="Name of the trust.", examples=["Prospere Learning Trust"])


class TenantPatch(MergePatch):
    """A change of a tenant; null removes, what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_active": False}]})

    group_id: GroupId | None = Field(default=None, description="TR reference.")
    name: TrustName = Field(default="", description="Name of the trust.")
    is_active: bool = Field(default=True, description="Whether tokens are issued for it.")


class TenantParams(ListParams):
    """Filters of the list of tenants."""

    is_active: bool | None = Field(default=None, description="Only active or only inactive tenants.")


class TenantOut(Tagged):
    """A tenant."""

    id: UUID = Field(description="Id of the trust.", examples=["9ef4e9a4-8b2c-53e6-a5c5-0f0a4c1a2b3c"])
    group_uid: str = Field(description="Group UID in GIAS.", examples=["16846"])
    group_id: str | None = Field(description="TR reference.", examples=["TR03794"])
    name: str = Field(description="Name of the trust.", examples=["Prospere Learning Trust"])
    is_active: bool = Field(description="Whether tokens are issued for it.", examples=[True])
    created_at: datetime = Field(description="When it was registered.", examples=["2026-11-22T09:00:00Z"])
    created_by: str = Field(description="Subject of who registered it.", examples=["client:0193e2f1"])
    updated_at: datetime = Field(description="When it was last changed.", examples=["2026-11-22T09:00:00Z"])

    @classmethod
    def of(cls, tenant: Tenant) -> Self:
        """A tenant as the API shows it."""
        return cls(**tenant.model_dump(exclude={"version"})).tagged(tenant.tag)


class TenantPage(Page[TenantOut]):
    """One page of tenants."""


class AdministratorCreate(BaseModel):
    """The first administrator of a trust, by verified address or by account."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"email": "it@example.org"}]})

    email: Email | None = Field(default=None, description="Their verified address.", examples=["it@example.org"])
    issuer: Account | None = Field(default=None, description="Their identity provider, with `subject`.")
    subject: Account | None = Field(default=None, description="Their `sub` there, with `issuer`.")


class AdministratorOut(BaseModel):
    """The first administrator of a trust."""

    tenant_id: UUID = Field(description="The trust.", examples=["9ef4e9a4-8b2c-53e6-a5c5-0f0a4c1a2b3c"])
    person_id: UUID = Field(description="Id of the person.", examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"])
    grant_id: UUID = Field(description="Id of the grant.", examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a11"])
