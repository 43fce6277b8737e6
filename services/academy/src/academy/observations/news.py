"""What has changed about figures since a client's last walk, beside the figures themselves.

A figure is shown with what it is compared with, and in a list of a trust's academies. So it has changed too when its
academy joins or leaves, moves to another local authority or phase, or when the area's figure changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from kit.database.sessions import Session

FEW: Final = 5_000
"""So many changed figures are looked up one by one; of more, the list is read in its order."""


@dataclass(frozen=True, slots=True)
class News:
    """What has changed since an instant. All figures of `whole` count as changed; those of `left` are gone."""

    since: datetime
    whole: Sequence[int]
    left: Sequence[int]
    has_comparisons: bool
    is_few: bool


_TOUCHED = text(
    """
    select s.urn from academy.school s
    where s.updated_at >= :since and (cast(:urns as int[]) is null or s.urn = any(:urns))
    """
)

_COMPARED = text(
    """
    select exists (select from academy.comparison_figure c where c.recorded_at >= :since)
        or exists (select from academy.comparison_figure c where c.superseded_at >= :since)
    """
)

_COUNTED = text(
    """
    select (select count(*) from (select from academy.reference_observation o where o.recorded_at >= :since
                                  limit :few) n)
         + (select count(*) from (select from academy.reference_observation o where o.superseded_at >= :since
                                  limit :few) g)
         + (select count(*) from (select from academy.observation o
                                  where o.trust_id = :tenant and o.recorded_at >= :since limit :few) t)
         + (select count(*) from (select from academy.observation o
                                  where o.trust_id = :tenant and o.superseded_at >= :since limit :few) w)
    """
)


async def news(
    session: Session,
    tenant: UUID,
    since: datetime,
    urns: Sequence[int] | None,
    joined: Sequence[int],
    left: Sequence[int],
) -> News:
    """What has changed of these academies (None: of all), of which some joined the list and others left it."""
    wanted = None if urns is None else list(urns)
    touched = (await session.execute(_TOUCHED, {"since": since, "urns": wanted})).scalars()
    whole = [*touched, *joined, *left]
    has_comparisons = (await session.execute(_COMPARED, {"since": since})).scalar_one()
    counted = (await session.execute(_COUNTED, {"since": since, "tenant": tenant, "few": FEW})).scalar_one()
    is_few = not has_comparisons and counted < FEW and len(whole) <= FEW // 50
    return News(since, whole, left, has_comparisons, is_few)
