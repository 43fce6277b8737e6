"""What must never be false about links: a hash that no other has, a last day, and what their maker could see.

The table is the same in every service that has links; a session of the service finds its own.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, Column, Date, DateTime, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from kit.schema.kit_tables import KitTable


class SharedLink(KitTable, table=True):
    """One link. What its maker could see when it was made: `scopes`, `sees_academies` (null for all), and so on."""

    __tablename__: ClassVar[str | Callable[..., str]] = "shared_link"

    trust_id: UUID = Field(primary_key=True, sa_type=Uuid)
    id: UUID = Field(primary_key=True, sa_type=Uuid)
    token_sha256: bytes = Field(sa_type=LargeBinary)
    resource: str = Field(sa_type=Text)
    parameters: dict[str, Any] = Field(sa_type=JSONB)
    expires_on: date = Field(sa_type=Date)
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    created_by: str = Field(sa_type=Text)
    client_id: str | None = Field(default=None, sa_type=Text)
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    sees_academies: list[int] | None = Field(default=None, sa_column=Column(ARRAY(Integer)))
    leads: list[int] = Field(sa_column=Column(ARRAY(Integer), nullable=False))
    projects: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ended_by: str | None = Field(default=None, sa_type=Text)
