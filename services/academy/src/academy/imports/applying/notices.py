"""Telling a trust's feed what a national import changed for it: days of membership, and its academies' figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying.load import observation_changed
from academy.trusts.events import MEMBERSHIP_CHANGED, MembershipChanged, MembershipDays
from academy.trusts.rules import Days, changes
from kit import clock
from kit.database.sessions import Context, Database
from kit.events.recording import NewEvent, record_events

_NOTICE = text(
    """
    insert into academy.import_notice (trust_id, import_id, told_at) values (:trust, :import_id, :now)
    on conflict do nothing returning import_id
    """
)

_CHANGES = text(
    """
    select o.urn, o.measure, o.academic_year, count(*) - count(b.id) as figures_new, count(b.id) as figures_changed
    from academy.reference_observation o
    left join academy.reference_observation b
        on b.urn = o.urn and b.measure = o.measure and b.academic_year = o.academic_year
       and b.pupil_group = o.pupil_group and b.period = o.period and b.release = o.release
       and b.superseded_at = o.recorded_at
    where o.import_id = :import_id
      and o.urn in (select m.urn from academy.membership m where m.register_id = :trust and m.superseded_at is null)
    group by o.urn, o.measure, o.academic_year order by o.urn, o.measure, o.academic_year
    """
)

# What the import said of the trust's memberships, beside what it took the place of.
_MEMBERSHIPS = text(
    """
    select m.urn, m.joined_on, m.left_on, coalesce(m.import_id = l.import_id, false) as is_new
    from academy.reference_load l
    join academy.membership m
        on m.register_id = :trust and (m.import_id = l.import_id or m.superseded_at = l.recorded_at)
    where l.import_id = :import_id order by m.urn
    """
)


async def tell(database: Database, trust_id: UUID, import_id: UUID) -> None:
    """Tell a trust once what a national import changed for it, as that trust.

    Who belongs to it today is told by its rating, on the day (see `academy.ratings`).
    """
    parameters = {"trust": trust_id, "import_id": import_id}
    async with database.session(Context(trust_id, None, "worker:academy")) as session:
        if (await session.execute(_NOTICE, {**parameters, "now": clock.now()})).scalar_one_or_none() is None:
            return
        rows = (await session.execute(_MEMBERSHIPS, parameters)).mappings()
        events = _membership_events([dict(row) for row in rows], import_id)
        rows = (await session.execute(_CHANGES, parameters)).mappings()
        events += [observation_changed(dict(row), layer="national", import_id=import_id) for row in rows]
        await record_events(session, events)


def _membership_events(rows: Iterable[Mapping[str, Any]], import_id: UUID) -> list[NewEvent]:
    """An event for each membership of which something else is said than before; the rows come by URN."""
    events = []
    for urn, of_academy in groupby(rows, key=itemgetter("urn")):
        said: dict[bool, list[Days]] = {False: [], True: []}
        for row in of_academy:
            said[row["is_new"]].append(Days(row["joined_on"], row["left_on"]))
        for before, after in changes(said[False], said[True]):
            data = MembershipChanged(urn=urn, before=_told(before), after=_told(after), import_id=import_id)
            events.append(NewEvent(MEMBERSHIP_CHANGED, f"academies/{urn}", urn, data))
    return events


def _told(days: Days | None) -> MembershipDays | None:
    return None if days is None else MembershipDays(joined_on=days.joined_on, left_on=days.left_on)
