"""Decisions about posts: pure, over plain values."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from kit.events.held import HeldRole
from sector.roles import RoleCode


class PostRole(StrEnum):
    """The roles that a post can stand for: those that people hold in a trust."""

    CHIEF_EXECUTIVE = RoleCode.CHIEF_EXECUTIVE
    TRUSTEE = RoleCode.TRUSTEE
    EXECUTIVE_HEADTEACHER = RoleCode.EXECUTIVE_HEADTEACHER
    HEADTEACHER = RoleCode.HEADTEACHER
    CHAIR_OF_GOVERNORS = RoleCode.CHAIR_OF_GOVERNORS
    GOVERNOR = RoleCode.GOVERNOR
    IMPROVEMENT_LEAD = RoleCode.IMPROVEMENT_LEAD
    IMPROVEMENT_ADVISER = RoleCode.IMPROVEMENT_ADVISER
    SPECIALIST_LEADER = RoleCode.SPECIALIST_LEADER
    RESEARCH_LEAD = RoleCode.RESEARCH_LEAD
    TEACHER_RESEARCHER = RoleCode.TEACHER_RESEARCHER
    DATA_MANAGER = RoleCode.DATA_MANAGER
    TRUST_ADMIN = RoleCode.TRUST_ADMIN
    AUDITOR = RoleCode.AUDITOR


OF_TRUSTS: Final = frozenset(
    {
        PostRole.CHIEF_EXECUTIVE,
        PostRole.TRUSTEE,
        PostRole.IMPROVEMENT_LEAD,
        PostRole.TRUST_ADMIN,
        PostRole.AUDITOR,
    }
)
"""Roles that are held for the whole trust alone, as identity grants them."""

OF_ACADEMIES: Final = frozenset(
    {
        PostRole.EXECUTIVE_HEADTEACHER,
        PostRole.HEADTEACHER,
        PostRole.CHAIR_OF_GOVERNORS,
        PostRole.GOVERNOR,
    }
)
"""Roles that are held for single academies alone."""


def flaw_of(role: PostRole, urn: int | None) -> str | None:
    """Why nobody can hold this role there, in a sentence; None when somebody can."""
    if urn is None and role in OF_ACADEMIES:
        return f"Name the academy: nobody is {role} of a whole trust."
    if urn is not None and role in OF_TRUSTS:
        return f"Leave the academy out: the role {role} is held for the whole trust."
    return None


def holders(role: str, urn: int | None, held: Iterable[HeldRole]) -> list[str]:
    """Who holds a post: those whose grant of its role covers its academy, or the whole trust for a post of the trust.

    Each once, in the order of `held`.
    """
    covering = (one.holder for one in held if one.role == role and _covers(one, urn))
    return list(dict.fromkeys(covering))


def _covers(held: HeldRole, urn: int | None) -> bool:
    return held.extent == "trust" or (held.extent == "academies" and urn in held.academies)
