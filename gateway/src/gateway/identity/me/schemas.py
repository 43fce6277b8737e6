"""The caller on the wire."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


class TrustOut(BaseModel):
    """The trust that a token is for."""

    id: UUID = Field(description="Id of the trust.", examples=["9ef4e9a4-8b2c-53e6-a5c5-0f0a4c1a2b3c"])
    group_uid: str = Field(description="Group UID.", examples=["16846"])
    group_id: str | None = Field(description="TR reference.", examples=["TR03794"])
    name: str = Field(description="Its name.", examples=["Prospere Learning Trust"])


class ViewOut(BaseModel):
    """What one token of yours can show: send one of its roles as `role` to the token endpoint."""

    roles: list[str] = Field(description="The roles that count there.", examples=[["headteacher"]])
    extent: Literal["trust", "academies", "project"] = Field(
        description="The whole trust, some academies or one research project.", examples=["academies"]
    )
    academies: list[int] | None = Field(description="URNs; null for all of the trust's.", examples=[[139148]])
    project_id: UUID | None = Field(description="The research project.", examples=[None])


class MeOut(BaseModel):
    """Who you are and what you may do with this token."""

    subject: str = Field(description="Who you are.", examples=["person:0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"])
    oauth_client_id: str | None = Field(
        description="The program that you use, by its `client_id` at the token endpoint.",
        examples=["Sks6IQ5dVAq0mJrQYxBDMg"],
    )
    trust: TrustOut | None = Field(description="Your trust; null for the platform.")
    roles: list[str] = Field(description="Your roles.", examples=[["headteacher"]])
    scopes: list[str] = Field(description="What they allow.", examples=[["rag-statuses:read"]])
    academies: list[int] | None = Field(description="URNs; null for all of the trust's.", examples=[[139148]])
    leads: list[int] = Field(
        description="Academies that you lead, and for which you therefore approve nothing.", examples=[[139148]]
    )
    projects: list[UUID] = Field(
        description="The research project that this token is for; empty for every other token.", examples=[[]]
    )
    expires_at: datetime = Field(description="When this token expires.", examples=["2026-11-22T09:10:00Z"])
    views: list[ViewOut] = Field(
        description="The views that your grants in this trust allow, the widest first. One token shows one of them."
    )
