"""Files of `gias-group-links` for tests: which academies are in which trust since when."""

from collections.abc import Sequence

HEADER = (
    "URN,Group UID,Group Name,Group Type,Closed Date,Joined date,EstablishmentName,"
    "TypeOfEstablishment (code),PhaseOfEducation (name)\n"
)
PROSPERE_UID, ARK_UID = "16846", "2044"


def link(urn: int, group_uid: str, on: str, *, closed: str = "") -> str:
    """One row: a secondary academy is in this trust since `on` (and until the trust was `closed`)."""
    return f"{urn},{group_uid},Trust {group_uid},Multi-academy trust,{closed},{on},School {urn},28,Secondary\n"


def links(*rows: str) -> str:
    """A file of these rows."""
    return HEADER + "".join(rows)


def cancelling(*rows: str, others: Sequence[str] = ()) -> str:
    """A file that cancels these rows, and states the others."""
    return (
        f"Membership status,{HEADER}{''.join(f'Cancelled,{row}' for row in rows)}{''.join(f',{row}' for row in others)}"
    )
