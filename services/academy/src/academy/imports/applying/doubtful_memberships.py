"""What of a file of memberships its sender may have meant otherwise: cancelled ones that nobody knows, and later moves.

The register states who belongs to which trust now. It can't say that a membership never was one, and a planned move
isn't in it yet: so a later membership that a file doesn't have stays, and the warning says how it is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from sqlalchemy import Row, text

from academy.imports.codes import RowCode
from academy.imports.formats.publications.gias_groups import MEMBERSHIP_STATUS
from academy.imports.formats.reading import ReadingWarning
from academy.parameters import today
from kit.database.sessions import Session

MOST_NAMED: Final = 20
"""So many memberships are named in a warning."""

_UNKNOWN: Final = """
    select distinct c.urn, i.group_uid, c.joined_on from cancelled_memberships c
    join incoming_memberships i on i.urn = c.urn and i.register_id = c.register_id and i.joined_on = c.joined_on
        and i.is_cancelled
    where c.id is null order by c.urn, c.joined_on
"""

# In another trust than the file's, from a later day on, and not ended.
_LATER: Final = """
    select distinct d.urn, r.group_uid, d.joined_on
    from desired_memberships d
    join incoming_memberships i on i.urn = d.urn and not i.is_cancelled and i.left_on is null
        and i.register_id <> d.register_id and i.joined_on < d.joined_on
    join academy.trust_register r on r.id = d.register_id
    where (d.left_on is null or d.left_on > :today) and not exists (
        select from incoming_memberships s where s.urn = d.urn and s.register_id = d.register_id and not s.is_cancelled)
    order by d.urn, d.joined_on
"""


async def doubtful_memberships(session: Session) -> AsyncIterator[ReadingWarning]:
    """Warnings of a file whose memberships have been merged."""
    unknown = (await session.execute(text(_UNKNOWN))).all()
    if unknown:
        detail = (
            f"There is no membership of this school, trust and day to be cancelled: {_listed(unknown)}. The day is "
            "the joined_on that GET /academies/{urn} shows."
        )
        yield ReadingWarning(MEMBERSHIP_STATUS, RowCode.UNKNOWN_MEMBERSHIP, detail)
    later = (await session.execute(text(_LATER), {"today": today()})).all()
    if later:
        detail = (
            f"Later memberships in another trust, which this file doesn't have, were kept: {_listed(later)}. If one "
            f"was an error or was called off, send its row with {MEMBERSHIP_STATUS} Cancelled."
        )
        yield ReadingWarning("Group UID", RowCode.LATER_MEMBERSHIP_KEPT, detail)


def _listed(rows: Sequence[Row[Any]]) -> str:
    named = [f"URN {row.urn} in {row.group_uid} from {row.joined_on}" for row in rows[:MOST_NAMED]]
    more = f"; and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    return f"{', '.join(named)}{more}"
