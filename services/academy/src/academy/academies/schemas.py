"""Academies and inspections as clients see them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from academy.academies.rules import Joining, comes_after, comes_before, joining, seen_from_the_other
from academy.academies.tables import Inspection, School, SchoolLink
from academy.parameters import Instant, LaCodes, SearchText
from academy.trusts.tables import Membership as TrustMembership
from academy.trusts.tables import TrustRegister
from kit.resources.models import Tagged
from kit.resources.pages import ListParams, Page
from sector.parameters import TrustName, Urn
from sector.trusts import trust_name


class Phase(StrEnum):
    """Which pupils a school is for. Special schools and alternative provision are phases of their own here."""

    NURSERY = "nursery"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    ALL_THROUGH = "all_through"
    SIXTEEN_PLUS = "sixteen_plus"
    SPECIAL = "special"
    ALTERNATIVE_PROVISION = "alternative_provision"


class AcademyStatus(StrEnum):
    """Is the school there?"""

    OPEN = "open"
    CLOSED = "closed"
    PROPOSED_TO_OPEN = "proposed_to_open"
    PROPOSED_TO_CLOSE = "proposed_to_close"
    UNKNOWN = "unknown"


class AcademySort(StrEnum):
    """The order of the academies."""

    NAME = "name"
    NAME_DESCENDING = "-name"
    URN = "urn"
    URN_DESCENDING = "-urn"


class InspectionKind(StrEnum):
    """The kind of an Ofsted inspection: an overall grade (until 2024), an ungraded visit, or a report card (from
    November 2025)."""

    OVERALL_GRADE = "overall_grade"
    UNGRADED = "ungraded"
    REPORT_CARD = "report_card"


class LocalAuthorityOut(BaseModel):
    """A local authority."""

    code: str = Field(description="Three digits.", examples=["352"])
    name: str | None = Field(description="Its name.", examples=["Manchester"])


class SchoolTypeOut(BaseModel):
    """What kind of establishment a school is."""

    code: str | None = Field(description="Code in GIAS.", examples=["34"])
    name: str | None = Field(description="Its name.", examples=["Academy converter"])


class AcademyTrustOut(BaseModel):
    """The trust that an academy belongs to, and since when."""

    id: UUID = Field(description="Id of the trust.", examples=["0b0f6bd4-35a0-5f83-9d4b-4c1c6c0a3a51"])
    group_uid: str = Field(description="Group UID.", examples=["16846"])
    group_id: str | None = Field(description="TR reference.", examples=["TR03794"])
    name: str = Field(description="Its name.", examples=["Prospere Learning Trust"])
    joined_on: date = Field(description="First day.", examples=["2018-09-01"])
    left_on: date | None = Field(description="First day on which it belonged no longer.", examples=[None])

    @classmethod
    def of(cls, membership: TrustMembership, trust: TrustRegister) -> Self:
        """A membership with its trust."""
        days = membership.model_dump(include={"joined_on", "left_on"})
        fields = trust.model_dump(include={"id", "group_uid", "group_id"}) | {"name": trust_name(trust.name)}
        return cls(**fields, **days)


class AcademyOut(BaseModel):
    """One school of the register."""

    urn: Urn = Field(description="Unique reference number.", examples=[136105])
    name: str = Field(description="Its name.", examples=["Chorlton High School"])
    ukprn: str | None = Field(description="UK provider reference number.", examples=["10030975"])
    laestab: str | None = Field(description="LA and establishment number, seven digits.", examples=["3524276"])
    local_authority: LocalAuthorityOut | None = Field(description="Where it is.")
    type: SchoolTypeOut | None = Field(description="What kind of establishment.")
    phase: Phase | None = Field(description="Which pupils it is for; null when unknown.", examples=["secondary"])
    status: AcademyStatus = Field(description="Is it there?", examples=["open"])
    opened_on: date | None = Field(description="Opened on.", examples=["2010-09-01"])
    closed_on: date | None = Field(description="Closed on.", examples=[None])
    low_age: int | None = Field(description="Youngest pupils, in years.", examples=[11])
    high_age: int | None = Field(description="Oldest pupils, in years.", examples=[16])
    pupils: int | None = Field(description="Pupils on roll.", examples=[1510])
    capacity: int | None = Field(description="Places.", examples=[1500])
    town: str | None = Field(description="Town.", examples=["Manchester"])
    postcode: str | None = Field(description="Postcode.", examples=["M21 7SL"])
    region: str | None = Field(description="Region of England.", examples=["North West"])
    is_registered: bool = Field(
        description="False for a stub: figures name this URN, but no register file has yet.", examples=[True]
    )
    trust: AcademyTrustOut | None = Field(description="The trust that it belongs to; null when none.")
    is_removed: bool = Field(
        description="True only with `updated_since`: the academy has left the requested trust, or doesn't match the "
        "filters. Delete your copy of it, if you have one.",
        examples=[False],
    )
    source: str | None = Field(description="The source of the entry.", examples=["GIAS establishments"])
    updated_at: datetime = Field(
        description="When its entry in the register last changed.", examples=["2026-11-22T08:00:00Z"]
    )

    @classmethod
    def of(
        cls,
        school: School,
        membership: TrustMembership | None,
        trust: TrustRegister | None,
        is_removed: bool,
    ) -> "AcademyOut":
        """A school with the membership of a trust that is shown with it."""
        la, kind = school.la_code, (school.type_code, school.type_name)
        return AcademyOut(
            **school.model_dump(exclude=_IN_PARTS),
            local_authority=None if la is None else LocalAuthorityOut(code=la, name=school.la_name),
            type=None if kind == (None, None) else SchoolTypeOut(code=kind[0], name=kind[1]),
            trust=None if membership is None or trust is None else AcademyTrustOut.of(membership, trust),
            is_removed=is_removed,
        )


_IN_PARTS = {"la_code", "la_name", "type_code", "type_name", "version"}


class AcademyPage(Page[AcademyOut]):
    """A page of academies."""

    synced_to: datetime = Field(
        description="Everything recorded up to this instant is in the list. Send it as `updated_since` next time.",
        examples=["2026-11-22T08:00:00Z"],
    )


class InspectionOut(BaseModel):
    """The result of one inspection, in the terms of its own framework. Frameworks aren't comparable."""

    id: UUID = Field(description="Id of the inspection.", examples=["019ab3c2-6d2b-7c8a-9d0e-0f6a1b2c3d4e"])
    urn: Urn = Field(description="The school inspected.", examples=[136105])
    kind: InspectionKind = Field(description="Which framework.", examples=["overall_grade"])
    inspected_on: date = Field(description="Day of the inspection.", examples=["2018-03-20"])
    published_on: date | None = Field(description="Day of the report.", examples=["2018-04-24"])
    overall_grade: str | None = Field(description="The overall grade where there is one.", examples=["good"])
    category_of_concern: str | None = Field(
        description="Special measures, serious weaknesses and the like, kept apart.", examples=[None]
    )
    judgements: dict[str, Any] = Field(
        description="Grades by area as published.", examples=[{"leadership_and_governance": "strong_standard"}]
    )
    safeguarding: str | None = Field(description="Met or not met; null when it wasn't reported.", examples=["met"])
    graded_on: dict[str, date] | None = Field(
        description="The day of each area's grade where it was published: a later visit may have changed a grade.",
        examples=[{"leadership_and_governance": "2026-05-12"}],
    )
    latest_category_of_concern: str | None = Field(
        description="With the newest inspection of a published row: the category that the school is in now, `none` "
        "when it is in none; null where the file didn't say.",
        examples=["none"],
    )
    joining: Joining | None = Field(
        description="Before or after joining the trust that it belongs to; null when none.", examples=["before"]
    )
    source: str | None = Field(description="Where it is from.", examples=["Ofsted inspection outcomes"])
    recorded_at: datetime = Field(description="When it was loaded.", examples=["2026-11-22T08:00:00Z"])

    @classmethod
    def of(cls, inspection: Inspection, trust: AcademyTrustOut | None, **more: Any) -> Self:
        """An inspection of a school that belongs to this trust now."""
        fields = inspection.model_dump(exclude={"import_id", "superseded_at"})
        return cls(**fields, joining=joining(inspection.inspected_on, trust.joined_on if trust else None), **more)


class InspectionPage(Page[InspectionOut]):
    """A page of inspections."""


class LatestInspectionsOut(BaseModel):
    """The latest inspection under each framework."""

    overall_grade: InspectionOut | None = Field(description="The latest with an overall grade.")
    ungraded: InspectionOut | None = Field(description="The latest ungraded visit.")
    report_card: InspectionOut | None = Field(description="The latest report card.")


class LinkOut(BaseModel):
    """A school that came before or after."""

    urn: Urn = Field(description="The other school.", examples=[105560])
    name: str | None = Field(description="Its name, when the register knows it.", examples=["Chorlton High School"])
    link_type: str = Field(description="How they are linked, as the register says.", examples=["predecessor"])
    established_on: date | None = Field(description="Since when.", examples=["2010-09-01"])

    @classmethod
    def of_all(cls, urn: int, links: Iterable[tuple[SchoolLink, str | None]]) -> list[Self]:
        """What other schools are to this one, each with its name.

        Files may have a link in one direction alone: one that is known from the other school only is turned round.
        """
        found = list(links)
        own = {link.linked_urn for link, _ in found if link.urn == urn}
        return [
            cls(
                urn=link.linked_urn if link.urn == urn else link.urn,
                name=name,
                link_type=link.link_type if link.urn == urn else seen_from_the_other(link.link_type),
                established_on=link.established_on,
            )
            for link, name in found
            if link.urn == urn or link.urn not in own
        ]


class AcademyDetailOut(AcademyOut, Tagged):
    """One academy with its trusts, predecessors, successors and latest inspections."""

    memberships: list[AcademyTrustOut] = Field(description="Every trust that it has belonged to, newest first.")
    predecessors: list[LinkOut] = Field(description="Schools that it replaced.")
    successors: list[LinkOut] = Field(description="Schools that replaced it.")
    other_links: list[LinkOut] = Field(
        description="Schools that are linked with it and neither came before nor after, such as a sixth form centre."
    )
    latest_inspections: LatestInspectionsOut = Field(description="The latest under each framework, side by side.")

    @classmethod
    def of_all(
        cls,
        academy: AcademyOut,
        memberships: Iterable[tuple[TrustMembership, TrustRegister]],
        links: Sequence[LinkOut],
        inspections: Iterable[Inspection],
    ) -> Self:
        """An academy with all of its memberships, its links, and its latest inspections."""
        latest = {one.kind: InspectionOut.of(one, academy.trust) for one in inspections}
        return cls(
            **dict(academy),
            memberships=[AcademyTrustOut.of(*one) for one in memberships],
            predecessors=[link for link in links if comes_before(link.link_type)],
            successors=[link for link in links if comes_after(link.link_type)],
            other_links=[
                link for link in links if not comes_before(link.link_type) and not comes_after(link.link_type)
            ],
            latest_inspections=LatestInspectionsOut.model_validate({kind: latest.get(kind) for kind in InspectionKind}),
        )


class TrustAcademyOut(BaseModel):
    """An academy of a trust, with the days on which it joined and left."""

    urn: Urn = Field(description="The academy.", examples=[136105])
    name: str = Field(description="Its name.", examples=["Chorlton High School"])
    phase: Phase | None = Field(description="Its phase.", examples=["secondary"])
    status: AcademyStatus = Field(description="Is it there?", examples=["open"])
    joined_on: date = Field(description="First day.", examples=["2018-09-01"])
    left_on: date | None = Field(description="First day on which it belonged no longer.", examples=[None])
    is_member: bool = Field(description="Does it belong to the trust today?", examples=[True])

    @classmethod
    def of(cls, school: School, membership: TrustMembership, is_member: bool) -> Self:
        """A school with its days in the trust."""
        names = school.model_dump(include={"urn", "name", "phase", "status"})
        return cls(**names, joined_on=membership.joined_on, left_on=membership.left_on, is_member=is_member)


class TrustAcademyPage(Page[TrustAcademyOut]):
    """A page of a trust's academies."""


class Membership(StrEnum):
    """Which academies of a trust."""

    CURRENT = "current"
    PAST = "past"
    ALL = "all"


class TrustAcademyParams(ListParams):
    """Filters of the list of a trust's academies."""

    membership: Annotated[
        Membership, Field(description="Academies that belong to it today, those that did before, or both.")
    ] = Membership.CURRENT


class AcademyListParams(ListParams):
    """Filters of the list of academies."""

    trust: Annotated[
        TrustName | None,
        Field(
            description="Academies of this trust: its id, Group UID or TR reference, or `any` for all of England. "
            "Default: your own trust."
        ),
    ] = None
    phase: Annotated[tuple[Phase, ...], Field(max_length=7, description="Of these phases.")] = ()
    status: Annotated[tuple[AcademyStatus, ...], Field(max_length=5, description="With one of these states.")] = ()
    la: LaCodes = ()
    q: Annotated[
        SearchText | None,
        Field(
            description="Words of the name in any order, each whole or in part; a postcode, with or without its "
            "blank; or a whole identifier.",
            examples=["m21 chorlton"],
        ),
    ] = None
    updated_since: Annotated[
        Instant | None,
        Field(
            description="Only what changed since this instant, including academies that have left and, with filters, "
            "changed academies that don't match them (`is_removed`). Send the `synced_to` of your last request."
        ),
    ] = None
    sort: Annotated[AcademySort, Field(description="In this order.")] = AcademySort.NAME


class AcademyLookup(BaseModel):
    """Schools by any of their identifiers; at most 1,000 together."""

    model_config = ConfigDict(extra="forbid")

    urns: Annotated[list[Urn], Field(max_length=1000, description="URNs.")] = Field(default=[])
    ukprns: Annotated[
        list[Annotated[str, Field(pattern=r"^\d{8}$", examples=["10030975"])]],
        Field(max_length=1000, description="UKPRNs, eight digits."),
    ] = Field(default=[])
    laestabs: Annotated[
        list[Annotated[str, Field(pattern=r"^\d{3}[/\-]?\d{4}$", examples=["3524276"])]],
        Field(max_length=1000, description="LA and establishment numbers, with or without a slash."),
    ] = Field(default=[])


class NotFoundOut(BaseModel):
    """What no school has."""

    urns: list[int] = Field(description="URNs that the register doesn't have.")
    ukprns: list[str] = Field(description="UKPRNs that no school has.")
    laestabs: list[str] = Field(description="LAESTABs that no school has, as they were sent.")


class AcademyLookupOut(BaseModel):
    """The schools that were found. One identifier can belong to several schools, old and new."""

    found: list[AcademyOut] = Field(description="Every school that has one of the identifiers, by URN.")
    not_found: NotFoundOut = Field(description="The identifiers that no school has.")
