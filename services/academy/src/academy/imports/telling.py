"""Telling a trust's feed what a national import changed for it: its academies' figures, and who joined or left."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from academy.imports.events import ACADEMY_JOINED, ACADEMY_LEFT, AcademyMoved
from academy.imports.loading import observation_changed
from kit import clock
from kit.db import Context, Database
from kit.events import NewEvent, record_events

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

# What the import said of who belongs to the trust, beside what was known of the same academy before it.
_MOVES = text(
    """
    select distinct on (m.urn) m.urn, m.joined_on, m.left_on, b.id is not null as was_known, b.left_on as known_left_on
    from academy.membership m
    left join academy.membership b
        on b.urn = m.urn and b.register_id = m.register_id and b.superseded_at = m.recorded_at
    where m.register_id = :trust and m.import_id = :import_id
    order by m.urn, m.joined_on desc
    """
)


async def tell(database: Database, trust_id: UUID, import_id: UUID) -> None:
    """Tell a trust once what a national import changed for it, as that trust."""
    parameters = {"trust": trust_id, "import_id": import_id}
    async with database.session(Context(trust_id, None, "worker:academy")) as session:
        if (await session.execute(_NOTICE, {**parameters, "now": clock.now()})).scalar_one_or_none() is None:
            return
        events = []
        for row in (await session.execute(_MOVES, parameters)).mappings():
            data = AcademyMoved(urn=row["urn"], joined_on=row["joined_on"], left_on=row["left_on"], import_id=import_id)
            if row["left_on"] is not None and (not row["was_known"] or row["known_left_on"] is None):
                events.append(NewEvent(ACADEMY_LEFT, f"academies/{row['urn']}", row["urn"], data))
            elif row["left_on"] is None and (not row["was_known"] or row["known_left_on"] is not None):
                events.append(NewEvent(ACADEMY_JOINED, f"academies/{row['urn']}", row["urn"], data))
        rows = await session.execute(_CHANGES, parameters)
        events += [observation_changed(dict(row), layer="national", import_id=import_id) for row in rows.mappings()]
        await record_events(session, events)
