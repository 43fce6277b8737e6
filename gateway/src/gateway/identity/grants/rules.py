"""What a grant may look like, who may give it, and what grants give together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from gateway.identity.codes import Code
from gateway.identity.roles import ROLES, Extent, Holder, Level, scopes_of

# Tokens travel in a header: a longer list of academies than this stays a view of its own.
MOST_ACADEMIES_IN_A_VIEW: Final = 300


class GrantState(StrEnum):
    """Where a grant is in its life."""

    SCHEDULED = "scheduled"
    CURRENT = "current"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a grant, and the field that says it."""

    field: str
    code: Code
    detail: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What of a grant decides."""

    trust_id: UUID
    role: str
    extent: Extent
    academies: frozenset[int] | None
    project_id: UUID | None
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class View:
    """What one token shows: a part of one trust, with the roles that count for exactly that part."""

    trust_id: UUID
    extent: Extent
    academies: frozenset[int] | None
    project_id: UUID | None
    roles: tuple[str, ...]
    ends_on: date | None

    @property
    def scopes(self) -> frozenset[str]:
        """What the roles allow together."""
        return scopes_of(self.roles)


def extent_of(*, has_academies: bool, has_project: bool) -> Extent:
    """How far a grant reaches that names academies or a project."""
    if has_project:
        return Extent.PROJECT
    return Extent.ACADEMIES if has_academies else Extent.TRUST


def state_of(*, starts_on: date, ends_on: date | None, is_ended: bool, on: date) -> GrantState:
    """The state of a grant on a day; its first and its last day count."""
    if is_ended:
        return GrantState.ENDED
    if on < starts_on:
        return GrantState.SCHEDULED
    return GrantState.CURRENT if ends_on is None or on <= ends_on else GrantState.EXPIRED


def may_grant(role: str, *, level: Level) -> bool:
    """Whether an administrator at this level may give the role."""
    return ROLES[role].level is level


def gives_more(role: str, held: Iterable[str]) -> bool:
    """Whether a role allows something that these roles don't allow together."""
    return not ROLES[role].scopes <= scopes_of(held)


def faults_of(
    role: str, *, holder: Holder, extent: Extent, starts_on: date, ends_on: date | None, on: date
) -> list[Fault]:
    """Everything that is wrong with a new grant; empty when nothing is."""
    wanted, faults = ROLES[role], []
    if holder not in wanted.holders:
        faults.append(Fault(f"{holder}_id", Code.HOLDER_UNSUITABLE, f"A {holder} can't be {wanted.title.lower()}."))
    if extent not in wanted.extents:
        field = {Extent.TRUST: "academies", Extent.ACADEMIES: "academies", Extent.PROJECT: "project_id"}[extent]
        reaches = " or ".join(_REACHES[possible] for possible in Extent if possible in wanted.extents)
        faults.append(Fault(field, Code.EXTENT_UNSUITABLE, f"{wanted.title} is granted for {reaches}."))
    if ends_on is not None and ends_on < starts_on:
        faults.append(Fault("ends_on", Code.ENDS_BEFORE_START, "The last day comes before the first."))
    elif ends_on is not None and ends_on < on:
        faults.append(Fault("ends_on", Code.ENDS_IN_THE_PAST, "The last day is over already."))
    return faults


_REACHES: Final = {
    Extent.TRUST: "the whole trust",
    Extent.ACADEMIES: "a list of academies",
    Extent.PROJECT: "a research project",
}


def leads(grants: Iterable[Grant]) -> frozenset[int]:
    """The academies that the holder leads by any of these grants, whichever of them a token is for."""
    leading = (grant for grant in grants if grant.role in ROLES and ROLES[grant.role].leads)
    return frozenset(urn for grant in leading for urn in grant.academies or ())


def views_of(grants: Iterable[Grant], *, role: str | None = None) -> list[View]:
    """What the holder of these current grants can look at, the widest first.

    Roles are put together only where they count for exactly the same academies or the same project: together, a
    trustee of all academies and the head of one would otherwise be the head of all. Lists of academies are joined
    only where they carry the same roles. With `role` only grants of that role count. A role that no longer exists
    counts for nothing.
    """
    known = [grant for grant in grants if grant.role in ROLES and role in {None, grant.role}]
    places: dict[tuple[UUID, Extent, frozenset[int] | None, UUID | None], list[Grant]] = {}
    for grant in known:
        places.setdefault((grant.trust_id, grant.extent, grant.academies, grant.project_id), []).append(grant)
    views = [
        View(
            trust_id=trust_id,
            extent=extent,
            # A project says nothing of any academy's own figures.
            academies=frozenset() if extent is Extent.PROJECT else academies,
            project_id=project_id,
            roles=_in_order(grant.role for grant in there),
            ends_on=_first_end(grant.ends_on for grant in there),
        )
        for (trust_id, extent, academies, project_id), there in places.items()
    ]
    return sorted(_joined(views), key=_width)


def _in_order(roles: Iterable[str]) -> tuple[str, ...]:
    held = set(roles)
    return tuple(role for role in ROLES if role in held)


def _first_end(days: Iterable[date | None]) -> date | None:
    return min((day for day in days if day is not None), default=None)


def _joined(views: Sequence[View]) -> list[View]:
    """Views of academies that carry the same roles, as one."""
    joined: list[View] = []
    by_roles: dict[tuple[UUID, tuple[str, ...]], int] = {}
    # By the smallest URN, so that the result doesn't hang on the order of the grants.
    for view in sorted(views, key=lambda view: sorted(view.academies or ())):
        key = (view.trust_id, view.roles)
        place = by_roles.get(key) if view.extent is Extent.ACADEMIES else None
        if place is not None:
            other = joined[place]
            academies = (other.academies or frozenset()) | (view.academies or frozenset())
            if len(academies) <= MOST_ACADEMIES_IN_A_VIEW:
                ends_on = _first_end([other.ends_on, view.ends_on])
                joined[place] = View(view.trust_id, view.extent, academies, None, view.roles, ends_on)
                continue
        if view.extent is Extent.ACADEMIES:
            by_roles[key] = len(joined)
        joined.append(view)
    return joined


_EXTENT_ORDER: Final = {Extent.TRUST: 0, Extent.ACADEMIES: 1, Extent.PROJECT: 2}


def _width(view: View) -> tuple[int, int, int, list[int], str, str]:
    """Sorts the wider view first; ties are settled, never left to chance."""
    return (
        _EXTENT_ORDER[view.extent],
        -len(view.academies or ()),
        -len(view.scopes),
        sorted(view.academies or ()),
        str(view.project_id or ""),
        str(view.trust_id),
    )
