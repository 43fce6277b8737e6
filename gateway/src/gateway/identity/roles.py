"""What each role may do: the one table that the access matrix is printed from.

A scope is `<resource>:<verb>`; a route names the scopes that it needs, and row-level security decides about
rows. So a headteacher and a trustee have the same scopes and see different academies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Level(StrEnum):
    """Where a role counts: inside one trust, or for the platform (which sees no trust's own data)."""

    TRUST = "trust"
    PLATFORM = "platform"


class Holder(StrEnum):
    """Who can hold a role: somebody who signs in, or a program with credentials of its own."""

    PERSON = "person"
    CLIENT = "client"


class Extent(StrEnum):
    """How much of a trust a grant covers."""

    TRUST = "trust"
    ACADEMIES = "academies"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its scopes, where it counts, who can hold it and how far a grant of it can reach."""

    code: str
    title: str
    purpose: str
    scopes: frozenset[str]
    level: Level = Level.TRUST
    holders: frozenset[Holder] = frozenset({Holder.PERSON})
    extents: frozenset[Extent] = frozenset({Extent.TRUST, Extent.ACADEMIES})
    leads: bool = False
    """Holders lead the academies of the grant, and so never moderate or approve anything for these."""


SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "academies:read": "Read the register: trusts, academies, inspections.",
        "measures:read": "Read the catalogue of measures.",
        "observations:read": "Read figures, national and the trust's own.",
        "observations:write": "Load the trust's own figures.",
        "imports:read": "Follow imports and read their errors.",
        "imports:write": "Start and cancel imports.",
        "reference:write": "Load national reference data.",
        "criteria:read": "Read criteria sets.",
        "criteria:write": "Draft criteria sets and preview their effect.",
        "criteria:publish": "Publish and retire criteria sets.",
        "ratings:read": "Read ratings with their explanations and history.",
        "ratings:moderate": "Override a computed rating, with a reason, and withdraw it.",
        "rag-statuses:read": "Read the RAG status of each academy.",
        "terms:read": "Read the dates of terms.",
        "terms:write": "Set and change the dates of terms.",
        "posts:read": "Read posts, and who holds them.",
        "posts:write": "Create and change posts.",
        "names:read": "Read the names of people and clients whose subjects one has read.",
        "events:read": "Read the change feed, as far as the other scopes reach.",
        "events:follow": "Read the change feed of every trust; for services that follow another.",
        "links:write": "Make links to what one may read, list them and end them.",
        "links:manage": "See and end the links of everybody in the trust.",
        "identity:read": "Read clients, people and grants.",
        "identity:write": "Manage clients, people and grants.",
        "platform:admin": "Manage tenants and the platform.",
    }
)
"""Every scope and what it allows."""

SERVICE_READER: Final = "service-reader"
FOLLOWER: Final = "follower"

_BOARD: Final = frozenset({"academies:read", "measures:read", "ratings:read", "rag-statuses:read", "events:read"})
_DETAIL: Final = _BOARD | {"posts:read", "names:read", "terms:read", "observations:read", "criteria:read"}
_SHARES: Final = _DETAIL | {"links:write"}
_ADVISES: Final = _SHARES | {"criteria:write", "criteria:publish", "ratings:moderate", "imports:read"}
_TRUST_ONLY: Final = frozenset({Extent.TRUST})
_LISTED_ONLY: Final = frozenset({Extent.ACADEMIES})
_ANY_EXTENT: Final = frozenset(Extent)
_EITHER: Final = frozenset(Holder)
_CLIENT: Final = frozenset({Holder.CLIENT})


def _table(roles: Iterable[Role]) -> Mapping[str, Role]:
    return MappingProxyType({role.code: role for role in roles})


ROLES: Final[Mapping[str, Role]] = _table(
    [
        Role(
            "chief-executive",
            "Chief executive",
            "Answers for every academy of the trust: decides the criteria and moderates ratings.",
            _SHARES
            | {"criteria:write", "criteria:publish", "ratings:moderate", "imports:read", "posts:write", "terms:write"},
            extents=_TRUST_ONLY,
        ),
        Role(
            "trustee",
            "Trustee",
            "Holds the executive to account for all academies.",
            _SHARES,
            extents=_TRUST_ONLY,
        ),
        Role(
            "executive-headteacher",
            "Executive headteacher",
            "Leads several academies.",
            _SHARES | {"terms:write"},
            extents=_LISTED_ONLY,
            leads=True,
        ),
        Role(
            "headteacher",
            "Headteacher",
            "Leads an academy.",
            _SHARES | {"terms:write"},
            extents=_LISTED_ONLY,
            leads=True,
        ),
        Role(
            "chair-of-governors",
            "Chair of governors",
            "Chairs the local governing body of an academy.",
            _SHARES,
            extents=_LISTED_ONLY,
            leads=True,
        ),
        Role(
            "governor",
            "Governor",
            "Sits on the local governing body of an academy: reads what its chair reads and changes nothing.",
            _DETAIL,
            extents=_LISTED_ONLY,
        ),
        Role(
            "improvement-adviser",
            "Improvement adviser",
            "Challenges and supports academies: drafts and publishes criteria, moderates ratings.",
            _ADVISES,
        ),
        Role(
            "improvement-lead",
            "Improvement lead",
            "Leads improvement across the trust for the chief executive: as an improvement adviser, for all academies.",
            _ADVISES,
            extents=_TRUST_ONLY,
        ),
        Role(
            "specialist-leader",
            "Specialist leader of education",
            "Supports other academies in one specialism.",
            _SHARES,
        ),
        Role(
            "research-lead",
            "Research lead",
            "Leads research and development projects.",
            frozenset({"academies:read", "measures:read", "observations:read", "events:read"}),
            extents=_ANY_EXTENT,
        ),
        Role(
            "teacher-researcher",
            "Teacher researcher",
            "Works on a research and development project.",
            frozenset({"academies:read", "measures:read", "events:read"}),
            extents=_ANY_EXTENT,
        ),
        Role(
            "data-manager",
            "Data manager",
            "Loads the trust's own figures and drafts criteria.",
            _SHARES | {"observations:write", "imports:read", "imports:write", "criteria:write", "terms:write"},
            holders=_EITHER,
        ),
        Role(
            "mis-client",
            "MIS client",
            "The trust's management information system, which pushes figures.",
            frozenset(
                {
                    "academies:read",
                    "measures:read",
                    "observations:read",
                    "observations:write",
                    "imports:read",
                    "imports:write",
                    "events:read",
                }
            ),
            holders=_CLIENT,
        ),
        Role(
            "status-reader",
            "Status reader",
            "A wallboard or a chat bot that pulls RAG statuses.",
            frozenset({"rag-statuses:read", "ratings:read", "academies:read", "events:read"}),
            holders=_EITHER,
        ),
        Role(
            "warehouse",
            "Data warehouse",
            "Keeps a copy of the board, the figures and the measures, and follows the change feed.",
            _BOARD | {"observations:read"},
            holders=_CLIENT,
        ),
        Role(
            "trust-admin",
            "Trust administrator",
            "Manages the trust's clients, people and grants.",
            frozenset(
                {
                    "identity:read",
                    "identity:write",
                    "academies:read",
                    "measures:read",
                    "posts:read",
                    "posts:write",
                    "names:read",
                    "terms:read",
                    "terms:write",
                    "events:read",
                    "links:write",
                    "links:manage",
                }
            ),
            holders=_EITHER,
            extents=_TRUST_ONLY,
        ),
        Role(
            "auditor",
            "Auditor",
            "Reads everything of the trust and changes nothing.",
            _DETAIL | {"imports:read", "identity:read"},
            holders=_EITHER,
            extents=_TRUST_ONLY,
        ),
        Role(
            "alliance-partner",
            "Alliance partner",
            "From a partner trust. Sees nothing yet: no alliance protocol can name what to share.",
            frozenset(),
            extents=_TRUST_ONLY,
        ),
        Role(
            "platform-operator",
            "Platform operator",
            "Loads national reference data and runs the platform; sees no trust's own data.",
            frozenset(
                {
                    "academies:read",
                    "measures:read",
                    "observations:read",
                    "imports:read",
                    "imports:write",
                    "reference:write",
                    "events:read",
                    "identity:read",
                    "identity:write",
                    "platform:admin",
                }
            ),
            level=Level.PLATFORM,
            holders=_EITHER,
            extents=_TRUST_ONLY,
        ),
        Role(
            FOLLOWER,
            "Follower",
            "A service that follows another's change feed across all trusts.",
            frozenset({"events:read", "events:follow"}),
            level=Level.PLATFORM,
            holders=_CLIENT,
            extents=_TRUST_ONLY,
        ),
        Role(
            SERVICE_READER,
            "Service reader",
            "A service that reads another's data in a job: its token is for one trust that it names, and never writes.",
            _DETAIL - {"names:read"},
            level=Level.PLATFORM,
            holders=_CLIENT,
            extents=_TRUST_ONLY,
        ),
    ]
)
"""Every role by its code, in the order in which the access matrix shows them."""


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """The scopes of all these roles together; a role that no longer exists gives none."""
    return frozenset(scope for code in roles if code in ROLES for scope in ROLES[code].scopes)
