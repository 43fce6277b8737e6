"""The end of memberships with the academy itself: one that has closed belongs to no trust from its closing day on.

A conversion inside the trust closes one URN and opens another: the academy counts once, under the new one. The day
may lie ahead; it then comes with the clock, as every day of leaving does. Where the register says that a school has
closed and not when, it ends on the day on which that was loaded. A closing day that the register takes back lets the
membership go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import text

from academy.imports.applying.merge import Origin
from academy.imports.formats.publications.gias_contradictions import CODE, MOST_NAMED
from academy.imports.formats.reading import ReadingWarning
from academy.parameters import today
from kit.database.sessions import Session


def _closing_day(joined_on: str, left_on: str) -> str:
    """SQL of the day on which the school `s` ends a membership; null while it is open. `left_on` is the end so far."""
    return (
        f"case when s.closed_on is not null then greatest(s.closed_on, {joined_on})"
        f" when s.status = 'closed' and {left_on} <= cast(:today as date) then {left_on}"
        f" when s.status = 'closed' then greatest(cast(:today as date), {joined_on}) end"
    )


_END_INCOMING: Final = f"""
    update desired_memberships d set left_on = least(d.left_on, c.day)
    from (
        select n.urn, n.register_id, n.joined_on, {_closing_day("n.joined_on", "m.left_on")} as day
        from desired_memberships n join academy.school s on s.urn = n.urn
        left join academy.membership m on m.urn = n.urn and m.register_id = n.register_id
            and m.joined_on = n.joined_on and m.superseded_at is null
    ) c
    where c.urn = d.urn and c.register_id = d.register_id and c.joined_on = d.joined_on and c.day is not null
"""  # noqa: S608 - constants

_FIND: Final = f"""
    create temp table ended_memberships on commit drop as
    with open as (
        select m.*, least(m.stated_left_on, lead(m.joined_on) over (
            partition by m.urn order by m.joined_on, m.stated_left_on nulls last, m.register_id)) as open_until
        from academy.membership m where m.superseded_at is null
    ), closing as (
        select o.*, {_closing_day("o.joined_on", "o.left_on")} as day
        from open o join academy.school s on s.urn = o.urn
    )
    select c.id, c.urn, c.register_id, c.joined_on, c.stated_left_on, least(c.open_until, c.day) as ends_on
    from closing c
    where (c.day is not null or c.urn in (select urn from changed_schools))
      and c.left_on is distinct from least(c.open_until, c.day)
"""  # noqa: S608 - constants

_SUPERSEDE: Final = """
    update academy.membership m set superseded_at = :at where m.id in (select e.id from ended_memberships e)
"""

_INSERT: Final = """
    insert into academy.membership (urn, register_id, joined_on, left_on, stated_left_on, import_id, recorded_at)
    select e.urn, e.register_id, e.joined_on, e.ends_on, e.stated_left_on, cast(:import_id as uuid),
        cast(:at as timestamptz)
    from ended_memberships e
"""


# A file of statuses alone leaves the closing days as they were known.
_CONTRADICTED: Final = """
    with found as (
        select s.urn, s.closed_on from academy.school s join incoming_schools i on i.urn = s.urn
        where (i.status in ('open', 'proposed_to_close') and s.closed_on < :today)
           or (i.status = 'closed' and s.closed_on > :today)
    ), cleared as (
        update academy.school s set closed_on = null, updated_at = :at, version = s.version + 1
        from found f where s.urn = f.urn
    ), noted as (
        insert into changed_schools (urn, is_known) select f.urn, true from found f
    )
    select urn, closed_on from found order by urn
"""


async def clear_contradicted(session: Session, origin: Origin) -> AsyncIterator[ReadingWarning]:
    """Clear closing days that were known and that the statuses of the register's own file now contradict."""
    found = (await session.execute(text(_CONTRADICTED), {"at": origin.at, "today": today()})).all()
    if found:
        listed = ", ".join(f"URN {urn} ({day})" for urn, day in found[:MOST_NAMED])
        more = f"; and {len(found) - MOST_NAMED:,} more" if len(found) > MOST_NAMED else ""
        detail = (
            "The status contradicts the CloseDate that was known, and the file has no column CloseDate. The status "
            f"counts, the date is left out: {listed}{more}."
        )
        yield ReadingWarning("CloseDate", CODE, detail)


async def end_incoming(session: Session) -> None:
    """End those of `desired_memberships` whose academy has closed, on its closing day."""
    await session.execute(text(_END_INCOMING), {"today": today()})


async def end_with_schools(session: Session, origin: Origin) -> int:
    """End the memberships of schools that have closed, and let those go on whose closing was taken back.

    The schools of the file are merged already (`changed_schools`). Gives how many memberships have changed.
    """
    # Postgres takes no parameters in `create table as`.
    await session.execute(text(_FIND.replace(":today", f"'{today().isoformat()}'")))
    found = (await session.execute(text("select count(*) from ended_memberships"))).scalar_one()
    if found:
        await session.execute(text(_SUPERSEDE), {"at": origin.at})
        await session.execute(text(_INSERT), {"at": origin.at, "import_id": origin.import_id})
    return int(found)
