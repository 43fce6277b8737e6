"""What is particular to the register: who belongs to which trust, schools that only figures name, whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying.closings import end_incoming
from academy.imports.applying.merge import Counts, Origin
from academy.imports.applying.stage import StagedTable
from kit.database.sessions import Session
from kit.ids import PLATFORM

# A membership that was an error, or was called off: the one of this school, trust and first day.
_CANCELLED: Final = """
    create temp table cancelled_memberships on commit drop as
    select distinct i.urn, i.register_id, i.joined_on, m.id
    from incoming_memberships i
    left join academy.membership m on m.urn = i.urn and m.register_id = i.register_id and m.joined_on = i.joined_on
        and m.superseded_at is null
    where i.is_cancelled
"""

# A file without a column for the day of leaving says nothing about it.
_KEEP_STATED: Final = """
    update incoming_memberships i set left_on = (
        select m.stated_left_on from academy.membership m
        where m.urn = i.urn and m.register_id = i.register_id and m.superseded_at is null
          and m.stated_left_on >= i.joined_on
        order by m.joined_on = i.joined_on desc, m.joined_on desc limit 1
    )
"""

# Of one academy's rows: those of the file, and those that are known and that the file doesn't mention. Two rows
# about one trust are about one membership (its first day was corrected), unless one ended before the other began or
# another trust came between. An academy belongs to one trust: joining the next ends a membership, also when the file
# no longer names that trust. The day of that follows from the rows beside it, so it is found anew whenever one of
# them changes; `stated_left_on` keeps what a file itself states.
_STAYS: Final = """
    create temp table stays on commit drop as
    with incoming as (
        select distinct on (urn, register_id, joined_on)
            urn, register_id, joined_on, left_on as stated_left_on, true as is_incoming
        from incoming_memberships where not is_cancelled
        order by urn, register_id, joined_on, left_on nulls first
    ), known as (
        select m.urn, m.register_id, m.joined_on, m.stated_left_on, false
        from academy.membership m
        where m.superseded_at is null and m.urn in (select urn from incoming_memberships)
          and m.id not in (select c.id from cancelled_memberships c where c.id is not null)
    ), following as (
        select e.*, e.register_id is distinct from lag(e.register_id) over by_day as is_other
        from (select * from incoming union all select * from known) e
        window by_day as (partition by e.urn order by e.joined_on, e.is_incoming, e.register_id)
    )
    select f.*, count(*) filter (where f.is_other) over by_day as stay
    from following f
    window by_day as (partition by f.urn order by f.joined_on, f.is_incoming, f.register_id)
"""

_DESIRED: Final = """
    with together as (
        select * from stays where is_incoming
        union all
        select k.* from stays k
        where not k.is_incoming and not exists (
            select 1 from stays s
            where s.is_incoming and s.urn = k.urn and s.register_id = k.register_id
              and (s.joined_on = k.joined_on
                   or (s.stay = k.stay and coalesce(k.stated_left_on > s.joined_on, true)
                       and coalesce(s.stated_left_on > k.joined_on, true))))
    )
    insert into desired_memberships (urn, register_id, joined_on, left_on, stated_left_on)
    select t.urn, t.register_id, t.joined_on,
        least(t.stated_left_on, lead(t.joined_on) over by_day), t.stated_left_on
    from together t
    window by_day as (
        partition by t.urn order by t.joined_on, t.stated_left_on nulls last, t.is_incoming, t.register_id)
"""

_SAME: Final = """
    d.urn = m.urn and d.register_id = m.register_id and d.joined_on = m.joined_on
    and d.left_on is not distinct from m.left_on and d.stated_left_on is not distinct from m.stated_left_on
"""

_COUNT: Final = f"""
    select count(*), count(*) filter (where m.id is not null), count(*) filter (where exists (
        select 1 from academy.membership o
        where o.urn = d.urn and o.register_id = d.register_id and o.superseded_at is null))
    from desired_memberships d
    left join academy.membership m on {_SAME} and m.superseded_at is null
"""  # noqa: S608 - constants

_SUPERSEDE: Final = f"""
    update academy.membership m set superseded_at = :at
    where m.superseded_at is null and m.urn in (select urn from incoming_memberships)
      and not exists (select 1 from desired_memberships d where {_SAME})
"""  # noqa: S608 - constants

_INSERT: Final = f"""
    insert into academy.membership (urn, register_id, joined_on, left_on, stated_left_on, import_id, recorded_at)
    select d.urn, d.register_id, d.joined_on, d.left_on, d.stated_left_on, cast(:import_id as uuid),
        cast(:at as timestamptz)
    from desired_memberships d
    where not exists (select 1 from academy.membership m where {_SAME} and m.superseded_at is null)
"""  # noqa: S608 - constants

# Who belongs to a trust is part of what the register says of a school.
_TOUCH_MEMBERS: Final = """
    update academy.school s set updated_at = :at, version = s.version + 1
    where s.updated_at < :at and s.urn in (
        select m.urn from academy.membership m where m.import_id = :import_id or m.superseded_at = :at)
"""

_RELATED: Final = {
    "inspections": "select urn from {rows}",
    # Both schools show the link, and each the name of the other.
    "school_links": "select urn from {rows} union select linked_urn from {rows}",
    "schools": """
        select l.linked_urn from academy.school_link l join {rows} c on c.urn = l.urn
        union select l.urn from academy.school_link l join {rows} c on c.urn = l.linked_urn
    """,
    # Academies show the name and numbers of their trusts.
    "trusts": """
        select m.urn from academy.membership m join {rows} c on c.register_id = m.register_id
        where m.superseded_at is null
    """,
}
"""Schools of which something is shown that is kept in another table, by the table whose rows have changed."""

_TOUCH_RELATED: Final = """
    update academy.school s set updated_at = :at, version = s.version + 1
    where s.updated_at < :at and s.urn in (select t.urn from touched_schools t)
"""

_STUBS: Final = """
    insert into academy.school (urn, name, status, is_registered, updated_at)
    select distinct i.urn, 'URN ' || i.urn, 'unknown', false, cast(:at as timestamptz)
    from {rows} i where not exists (select 1 from academy.school s where s.urn = i.urn)
    on conflict do nothing
"""

# Trusts that rate their academies, and those that have people or clients here: their feeds say what has changed too.
_AFFECTED: Final = """
    with known as (
        select r.trust_id from academy.rated_trust r
        union select g.trust_id from academy.identity_grant_a g where g.trust_id <> :platform
        union select g.trust_id from academy.identity_grant_b g where g.trust_id <> :platform
    )
    select r.trust_id from known r
    where cast(:everybody as boolean)
       or r.trust_id in (select m.register_id from academy.membership m
                         where m.import_id = :import_id or m.superseded_at = :at)
       or exists (select 1 from academy.membership m join touched_schools t on t.urn = m.urn
                  where m.register_id = r.trust_id and m.superseded_at is null)
    order by r.trust_id
"""


async def merge_memberships(session: Session, table: StagedTable, origin: Origin, *, dry_run: bool) -> Counts:
    """Bring in who belongs to which trust since when. A link that the file doesn't have is left as it is; one that it
    cancels ends without a successor, and the membership before goes on.
    """
    if "left_on" not in table.columns:
        await session.execute(text(table.add("left_on")))
        await session.execute(text(_KEEP_STATED))
    await session.execute(
        text(
            "create temp table desired_memberships"
            " (urn integer, register_id uuid, joined_on date, left_on date, stated_left_on date) on commit drop"
        )
    )
    # Without a look at the rows each may be held against every other: twenty seconds for all of England.
    for statement in (_CANCELLED, _STAYS, "analyze stays", _DESIRED, "analyze desired_memberships"):
        await session.execute(text(statement))
    await end_incoming(session)
    total, same, known = (await session.execute(text(_COUNT))).one()
    cancelled = (await session.execute(text("select count(id) from cancelled_memberships"))).scalar_one()
    counts = Counts(new=total - known, changed=known - same + cancelled, unchanged=same)
    if not dry_run and counts.written:
        await session.execute(text(_SUPERSEDE), {"at": origin.at})
        await session.execute(text(_INSERT), {"at": origin.at, "import_id": origin.import_id})
        await touch_members(session, origin)
    return counts


async def touch_members(session: Session, origin: Origin) -> None:
    """Note at the schools whose memberships this import has changed that the register says something new of them."""
    await session.execute(text(_TOUCH_MEMBERS), {"at": origin.at, "import_id": origin.import_id})


async def add_stubs(session: Session, rows: str, *, at: datetime) -> None:
    """A stub for every URN of these rows that the register doesn't have."""
    await session.execute(text(_STUBS.format(rows=rows)), {"at": at})


async def note_touched(session: Session, changed: list[str]) -> None:
    """Gather the schools of these temporary tables, for `affected_trusts`."""
    await session.execute(text("create temp table if not exists touched_schools (urn integer) on commit drop"))
    for rows in changed:
        await session.execute(text(f"insert into touched_schools select distinct urn from {rows}"))  # noqa: S608


async def touch_related(session: Session, changed: Mapping[str, str], origin: Origin) -> None:
    """Note that something new is shown of schools whose inspections, links, linked schools or trusts have changed.

    `changed` has the temporary table of the changed rows by the name of their table. The schools count as touched.
    """
    await session.execute(text("create temp table if not exists touched_schools (urn integer) on commit drop"))
    for name, rows in changed.items():
        if name in _RELATED:
            await session.execute(text(f"insert into touched_schools {_RELATED[name].format(rows=rows)}"))
    await session.execute(text(_TOUCH_RELATED), {"at": origin.at})


async def affected_trusts(session: Session, origin: Origin, *, everybody: bool) -> list[UUID]:
    """The trusts for which something may differ now: those of the touched schools, or all that are known here."""
    parameters = {"everybody": everybody, "import_id": origin.import_id, "at": origin.at, "platform": PLATFORM}
    return list((await session.execute(text(_AFFECTED), parameters)).scalars())
