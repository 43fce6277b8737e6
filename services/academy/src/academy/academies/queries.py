"""All SQL about the register of schools. It belongs to no trust: every caller with the scope sees all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlmodel import col

from academy.parameters import escaped
from academy.trusts.tables import Membership
from kit.database.sessions import Session
from sector.laestabs import plain_laestab

_MEMBER_TODAY = "m.joined_on <= :today and (m.left_on is null or m.left_on > :today)"

# The trust that a school belongs to today.
_PRESENT_TRUST = f"""
    left join lateral (
        select m.register_id, m.joined_on, m.left_on from academy.membership m
        where m.urn = s.urn and m.superseded_at is null and {_MEMBER_TODAY}
        order by m.joined_on desc limit 1
    ) m on true
    left join academy.trust_register t on t.id = m.register_id
"""  # noqa: S608 - constants

# The academies that belong to one trust, or did: the present or else the latest membership of each.
_MEMBERS = f"""
    join (
        select distinct on (m.urn) m.urn, m.register_id, m.joined_on, m.left_on, {_MEMBER_TODAY} as is_member
        from academy.membership m
        where m.register_id = :trust and m.superseded_at is null
        order by m.urn, is_member desc, m.joined_on desc
    ) m on m.urn = s.urn
    join academy.trust_register t on t.id = m.register_id
"""  # noqa: S608 - constants

_COLUMNS = """
    s.urn, s.name, s.ukprn, s.laestab,
    case when s.la_code is not null then jsonb_build_object('code', s.la_code, 'name', s.la_name) end
        as local_authority,
    case when s.type_code is not null or s.type_name is not null
        then jsonb_build_object('code', s.type_code, 'name', s.type_name) end as type,
    s.phase, s.status, s.opened_on, s.closed_on, s.low_age, s.high_age, s.pupils, s.capacity, s.town, s.postcode,
    s.region, s.is_registered,
    case when m.register_id is not null then jsonb_build_object(
        'id', t.id, 'group_uid', t.group_uid, 'group_id', t.group_id, 'name', t.name, 'joined_on', m.joined_on,
        'left_on', m.left_on) end as trust,
    s.source, s.updated_at
"""

_ORDERS = {
    "name": ("(s.name, s.urn) > (cast(:after_name as text), cast(:after_urn as int))", "s.name, s.urn"),
    "-name": ("(s.name, s.urn) < (cast(:after_name as text), cast(:after_urn as int))", "s.name desc, s.urn desc"),
    "urn": ("s.urn > cast(:after_urn as int)", "s.urn"),
    "-urn": ("s.urn < cast(:after_urn as int)", "s.urn desc"),
}


@dataclass(frozen=True, slots=True)
class AcademyFilter:
    """Which academies a list has. `trust_id` None is all of England."""

    trust_id: UUID | None
    phases: Sequence[str] = ()
    statuses: Sequence[str] = ()
    las: Sequence[str] = ()
    q: str | None = None
    updated_since: datetime | None = None


async def academy_list(
    session: Session,
    wanted: AcademyFilter,
    *,
    today: date,
    sort: str,
    after: Sequence[Any] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Academies in the order of `sort`, after the one whose name and URN are `after`."""
    conditions, parameters = _conditions(wanted)
    beyond, order = _ORDERS[sort]
    if after is not None:
        conditions.append(beyond)
        parameters |= {"after_urn": after[1]} | ({"after_name": after[0]} if "name" in sort else {})
    removed = "not m.is_member" if wanted.trust_id is not None else "false"
    source = _MEMBERS if wanted.trust_id is not None else _PRESENT_TRUST
    where = f"where {' and '.join(conditions)}" if conditions else ""
    statement = (
        f"select {_COLUMNS}, {removed} as is_removed from academy.school s {source} {where}"  # noqa: S608 - constants
        f" order by {order} limit :limit"
    )
    rows = await session.execute(text(statement), {**parameters, "today": today, "limit": limit})
    return [dict(row) for row in rows.mappings()]


def _conditions(wanted: AcademyFilter) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if wanted.trust_id is not None:
        parameters["trust"] = wanted.trust_id
        if wanted.updated_since is None:
            conditions.append("m.is_member")
    for column, values in (("phase", wanted.phases), ("status", wanted.statuses), ("la_code", wanted.las)):
        if values:
            conditions.append(f"s.{column} = any(:{column}s)")
            parameters[f"{column}s"] = list(values)
    if wanted.q is not None:
        conditions.append(
            "(s.name ilike :pattern or s.postcode ilike :start"
            " or cast(:q as text) in (s.urn::text, s.ukprn, s.laestab))"
        )
        number = plain_laestab(wanted.q) or wanted.q
        parameters |= {"pattern": f"%{escaped(wanted.q)}%", "start": f"{escaped(wanted.q)}%", "q": number}
    if wanted.updated_since is not None:
        # A day that was told long before may have come since: joining or leaving then is news too.
        days = "> (cast(:since as timestamptz) at time zone 'Europe/London')::date"
        conditions.append(
            f"(s.updated_at >= :since or (m.joined_on {days} and m.joined_on <= :today)"
            f" or (m.left_on {days} and m.left_on <= :today))"
        )
        parameters["since"] = wanted.updated_since
    return conditions, parameters


_ONE = text(f"select {_COLUMNS}, false as is_removed from academy.school s {_PRESENT_TRUST} where s.urn = :urn")  # noqa: S608

_MEMBERSHIPS = text(
    """
    select t.id::text, t.group_uid, t.group_id, t.name, m.joined_on, m.left_on
    from academy.membership m join academy.trust_register t on t.id = m.register_id
    where m.urn = :urn and m.superseded_at is null order by m.joined_on desc, t.group_uid
    """
)

_LINKS = text(
    """
    with of_either as (
        select l.linked_urn as urn, l.link_type, l.established_on, true as is_own
        from academy.school_link l where l.urn = :urn
        union all
        select l.urn, l.link_type, l.established_on, false from academy.school_link l where l.linked_urn = :urn
    )
    select l.urn, s.name, l.link_type, l.established_on, l.is_own
    from of_either l left join academy.school s on s.urn = l.urn
    where l.is_own or not exists (select from of_either o where o.is_own and o.urn = l.urn)
    order by l.established_on desc nulls last, l.urn, l.link_type
    """
)

_LOOK_UP = text(
    f"""
    select {_COLUMNS}, false as is_removed from academy.school s {_PRESENT_TRUST}
    where s.urn = any(:urns) or s.ukprn = any(:ukprns) or s.laestab = any(:laestabs) order by s.urn
    """  # noqa: S608 - constants
)

_TRUST_ACADEMIES = """
    select s.urn, s.name, s.phase, s.status, m.joined_on, m.left_on, {is_member} as is_member
    from academy.membership m join academy.school s on s.urn = m.urn
    where m.register_id = :trust and m.superseded_at is null and {which}
      and (cast(:after_name as text) is null
           or (s.name, s.urn, m.joined_on) > (:after_name, cast(:after_urn as int), cast(:after_joined as date)))
    order by s.name, s.urn, m.joined_on limit :limit
"""

_WHICH = {"current": _MEMBER_TODAY, "past": f"not ({_MEMBER_TODAY})", "all": "true"}

_MEMBER_URNS = text(
    """
    select distinct m.urn from academy.membership m
    where m.register_id = :trust and m.recorded_at <= :as_of and (m.superseded_at is null or m.superseded_at > :as_of)
      and m.joined_on <= :day and (m.left_on is null or m.left_on > :day)
    order by m.urn
    """
)


async def academy_view(session: Session, urn: int, *, today: date) -> dict[str, Any] | None:
    """One school of the register."""
    row = (await session.execute(_ONE, {"urn": urn, "today": today})).mappings().one_or_none()
    return None if row is None else dict(row)


async def memberships_of(session: Session, urn: int) -> list[dict[str, Any]]:
    """Every trust that the school has belonged to, newest first."""
    return [dict(row) for row in (await session.execute(_MEMBERSHIPS, {"urn": urn})).mappings()]


async def links_of(session: Session, urn: int) -> list[dict[str, Any]]:
    """Schools that came before or after, newest first.

    Files may have a link in one direction alone. `is_own` is false for one that is known from the other school only:
    its `link_type` says what this school is to that one.
    """
    return [dict(row) for row in (await session.execute(_LINKS, {"urn": urn})).mappings()]


async def academy_lookup(
    session: Session, *, urns: Sequence[int], ukprns: Sequence[str], laestabs: Sequence[str], today: date
) -> list[dict[str, Any]]:
    """Every school that has one of these identifiers, by URN."""
    parameters = {"urns": list(urns), "ukprns": list(ukprns), "laestabs": list(laestabs), "today": today}
    return [dict(row) for row in (await session.execute(_LOOK_UP, parameters)).mappings()]


async def trust_academies(
    session: Session, trust_id: UUID, *, which: str, today: date, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """Academies of a trust by name, after the one whose name, URN and day of joining are `after`."""
    statement = text(_TRUST_ACADEMIES.format(which=_WHICH[which], is_member=f"({_MEMBER_TODAY})"))
    name, urn, joined_on = after if after is not None else (None, None, None)
    parameters = {
        "trust": trust_id,
        "today": today,
        "after_name": name,
        "after_urn": urn,
        "after_joined": date.fromisoformat(joined_on) if joined_on else None,
        "limit": limit,
    }
    return [dict(row) for row in (await session.execute(statement, parameters)).mappings()]


async def member_urns(session: Session, trust_id: UUID, *, as_of: datetime, day: date) -> list[int]:
    """URNs of the academies that belonged to the trust on `day`, as was known at `as_of`."""
    rows = await session.execute(_MEMBER_URNS, {"trust": trust_id, "as_of": as_of, "day": day})
    return list(rows.scalars())


_INSPECTION = """
    i.id::text, i.urn, i.kind, i.inspected_on, i.published_on, i.overall_grade, i.category_of_concern, i.judgements,
    i.safeguarding, i.source, i.recorded_at
"""

_INSPECTIONS = text(
    f"""
    select {_INSPECTION} from academy.inspection i
    where i.urn = :urn and i.superseded_at is null
      and (cast(:after_on as date) is null
           or (i.inspected_on, i.id) < (cast(:after_on as date), cast(:after_id as uuid)))
    order by i.inspected_on desc, i.id desc limit :limit
    """  # noqa: S608 - constants
)

_LATEST_INSPECTIONS = text(
    f"""
    select distinct on (i.kind) {_INSPECTION} from academy.inspection i
    where i.urn = :urn and i.superseded_at is null order by i.kind, i.inspected_on desc
    """  # noqa: S608 - constants
)


async def inspections_of(
    session: Session, urn: int, *, after: Sequence[Any] | None, limit: int
) -> list[dict[str, Any]]:
    """Inspections of a school, newest first, after the one whose day and id are `after`."""
    day, last = (date.fromisoformat(after[0]), after[1]) if after is not None else (None, None)
    parameters = {"urn": urn, "after_on": day, "after_id": last, "limit": limit}
    return [dict(row) for row in (await session.execute(_INSPECTIONS, parameters)).mappings()]


async def latest_inspections_of(session: Session, urn: int) -> list[dict[str, Any]]:
    """The latest inspection of a school under each framework."""
    return [dict(row) for row in (await session.execute(_LATEST_INSPECTIONS, {"urn": urn})).mappings()]


async def is_member(session: Session, trust_id: UUID, urn: int, today: date) -> bool:
    """Does this academy belong to the trust today?"""
    belongs = exists().where(
        col(Membership.register_id) == trust_id,
        col(Membership.urn) == urn,
        col(Membership.superseded_at).is_(None),
        col(Membership.joined_on) <= today,
        col(Membership.left_on).is_(None) | (col(Membership.left_on) > today),
    )
    return bool((await session.execute(select(belongs))).scalar_one())
