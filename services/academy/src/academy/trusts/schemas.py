"""Trusts as clients see them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from academy.parameters import SearchText
from academy.trusts.tables import TrustRegister
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from sector.trusts import trust_name


class TrustKind(StrEnum):
    """What a group of schools is. Only academy trusts have academies as members."""

    MULTI_ACADEMY_TRUST = "multi_academy_trust"
    SINGLE_ACADEMY_TRUST = "single_academy_trust"
    SECURE_SINGLE_ACADEMY_TRUST = "secure_single_academy_trust"
    FOUNDATION_TRUST = "foundation_trust"
    FEDERATION = "federation"
    SPONSOR = "sponsor"
    UMBRELLA_TRUST = "umbrella_trust"
    CHILDRENS_CENTRES = "childrens_centres"
    OTHER = "other"


class TrustStatus(StrEnum):
    """Is the trust there?"""

    OPEN = "open"
    CLOSED = "closed"
    PROPOSED_TO_OPEN = "proposed_to_open"
    PROPOSED_TO_CLOSE = "proposed_to_close"
    UNKNOWN = "unknown"


class TrustSort(StrEnum):
    """The order of the trusts."""

    NAME = "name"
    NAME_DESCENDING = "-name"


class TrustOut(Tagged):
    """One trust, by every name that the sector knows it by."""

    id: UUID = Field(description="Ours, derived from the Group UID.", examples=["0b0f6bd4-35a0-5f83-9d4b-4c1c6c0a3a51"])
    group_uid: str = Field(description="Unique number of the group in GIAS.", examples=["16846"])
    group_id: str | None = Field(description="TR reference; null for groups that have none.", examples=["TR03794"])
    name: str = Field(
        description="Its name. What the register has in capitals is written as names are.",
        examples=["Prospere Learning Trust"],
    )
    kind: TrustKind = Field(description="What it is.", examples=["multi_academy_trust"])
    companies_house_number: str | None = Field(description="Eight characters.", examples=["10872612"])
    ukprn: str | None = Field(description="UK provider reference number.", examples=["10067144"])
    status: TrustStatus = Field(description="Is it there?", examples=["open"])
    opened_on: date | None = Field(description="Incorporated or opened on.", examples=["2017-07-18"])
    closed_on: date | None = Field(description="Closed on.", examples=[None])
    academy_count: int = Field(description="Academies that belong to it today.", examples=[14])
    updated_at: datetime = Field(
        description="When its entry in the register last changed.", examples=["2026-11-22T08:00:00Z"]
    )

    @classmethod
    def of(cls, trust: TrustRegister, academy_count: int) -> Self:
        """A trust with the number of its academies today."""
        fields = trust.model_dump(exclude={"version"}) | {"name": trust_name(trust.name)}
        return cls(**fields, academy_count=academy_count)


class TrustPage(Page[TrustOut]):
    """A page of trusts."""


class TrustListParams(ListParams):
    """Filters of the list of trusts."""

    q: Annotated[
        SearchText | None,
        Field(description="Words of the name in any order, each whole or in part; or a whole identifier."),
    ] = None
    kind: Annotated[tuple[TrustKind, ...], Field(max_length=10, description="Of these kinds.")] = ()
    status: Annotated[tuple[TrustStatus, ...], Field(max_length=5, description="With one of these states.")] = ()
    sort: Annotated[TrustSort, Field(description="In this order.")] = TrustSort.NAME
