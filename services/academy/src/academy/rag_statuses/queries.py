"""SQL of the RAG statuses, for the driver itself: thousands poll this list.

Membership and names are reference data, which row-level security doesn't guard: every statement begins with the
members that the caller's trust and grant let it see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from academy.rag_statuses.schemas import RagSort
from kit.database.sessions import Connection, Context
from kit.identity.callers import Caller

# $1 trust, $2 the academies of the grant (null for all), $3 the day in London, $4 the instant to replay
VISIBLE = """
    select distinct on (m.urn) m.urn, coalesce(s.name, m.urn::text) as name, s.phase, s.la_code,
        greatest(m.recorded_at, s.updated_at) as register_changed_at
    from academy.membership m left join academy.school s on s.urn = m.urn
    where m.register_id = $1 and ($2::int[] is null or m.urn = any($2::int[]))
      and m.joined_on <= $3 and (m.left_on is null or m.left_on > $3) and {recorded}
      and s.status is distinct from 'proposed_to_open'
    order by m.urn, m.recorded_at desc
"""

# The instant is null for now; naming it keeps one list of parameters for both.
_NOW = VISIBLE.format(recorded="$4::timestamptz is null and m.superseded_at is null")
_THEN = VISIBLE.format(recorded="m.recorded_at <= $4 and (m.superseded_at is null or m.superseded_at > $4)")

# With `updated_since` also those that have left. One that came back is a member at once, before it is rated again.
_LEFT = """
    union all
    select rs.urn, coalesce(s.name, rs.urn::text), coalesce(rs.phase, s.phase), s.la_code, rs.changed_at, true
    from academy.rag_status rs left join academy.school s on s.urn = rs.urn
    where rs.trust_id = $1 and ($2::int[] is null or rs.urn = any($2::int[])) and rs.left_at is not null
      and $7::timestamptz is not null and not exists (select from member n where n.urn = rs.urn)
"""

_SHOWN_NOW = """
    left join academy.rag_status rs on rs.trust_id = $1 and rs.urn = v.urn
    left join academy.rating r on r.trust_id = $1 and r.id = rs.rating_id
    left join academy.moderation o on o.trust_id = $1 and o.id = rs.moderation_id
        and o.ended_at is null and o.lapses_on >= $3
"""

_SHOWN_THEN = """
    left join lateral (
        select null::timestamptz as changed_at
    ) rs on true
    left join lateral (
        select * from academy.rating n
        where n.trust_id = $1 and n.urn = v.urn and n.rated_at <= $4 order by n.rated_at desc, n.id desc limit 1
    ) r on true
    left join lateral (
        select * from academy.moderation n
        where n.trust_id = $1 and n.urn = v.urn and n.made_at <= $4 and (n.ended_at is null or n.ended_at > $4)
          and n.lapses_on >= $3
        order by n.made_at desc, n.id desc limit 1
    ) o on true
"""

_LIST = """
    with member as ({members}), v as (select *, false as has_left from member {left_ones}),
    shown as (
        select v.urn, v.name, v.phase, v.la_code, coalesce(o.status, r.status, 'not_assessed') as status,
            coalesce(o.step, r.step) as step, o.id is not null as moderated,
            coalesce(r.status, 'not_assessed') as computed_status,
            coalesce(o.computed_status <> r.status, false) as computed_changed_since,
            r.counts, r.criteria_set_id, r.id as rating_id, r.rated_at, r.data_as_at,
            greatest(rs.changed_at, v.register_changed_at) as changed_at,
            coalesce(rs.changed_at, v.register_changed_at) as shown_since, v.has_left
        from v {shown}
    ), matching as (
        select t.*, {place} as place, (t.has_left or ((cardinality($5::text[]) = 0 or t.status = any($5::text[]))
            and (cardinality($6::text[]) = 0 or t.phase = any($6::text[]))
            and (cardinality($11::text[]) = 0 or t.la_code = any($11::text[]))) is not true) as is_removed
        from shown t
    )
    select m.urn, m.name, m.phase, m.status, m.step::text as step, m.moderated, m.computed_status,
        m.computed_changed_since, m.counts::text as counts, m.criteria_set_id::text as criteria_set_id,
        c.title as criteria_set_title, c.number as criteria_set_number, m.rating_id::text as rating_id,
        m.rated_at, m.data_as_at, m.is_removed, m.place,
        case when m.moderated then coalesce(c.rules -> 'scale', 'null')::text end as scale
    from matching m left join academy.criteria_set c on c.trust_id = $1 and c.id = m.criteria_set_id
    where case when $7::timestamptz is null then not m.is_removed else m.changed_at > $7 end
      and ($8::text is null or (m.place, m.name, m.urn) {after} ($12::bigint, $8, $9::int))
    order by {order} limit $10
"""

_BY_NAME, _BY_NAME_DESCENDING = "m.place, m.name, m.urn", "m.place desc, m.name desc, m.urn desc"
_RANK = "array_position(array['red', 'amber', 'green', 'not_assessed'], t.status)::bigint"
_MICROSECONDS = "(extract(epoch from t.shown_since) * 1000000)::bigint"

# What stands before the name in each order: within a status, and where several changed at once, the name decides.
_PLACES = {
    RagSort.NAME: "0::bigint",
    RagSort.NAME_DESCENDING: "0::bigint",
    RagSort.STATUS: _RANK,
    RagSort.STATUS_DESCENDING: f"-{_RANK}",
    RagSort.CHANGED: _MICROSECONDS,
    RagSort.CHANGED_DESCENDING: f"-{_MICROSECONDS}",
}


def _sorted(sort: RagSort, **parts: str) -> str:
    falling = sort is RagSort.NAME_DESCENDING
    order, after = (_BY_NAME_DESCENDING, "<") if falling else (_BY_NAME, ">")
    return _LIST.format(place=_PLACES[sort], order=order, after=after, **parts)


LISTS_NOW = {sort: _sorted(sort, members=_NOW, left_ones=_LEFT, shown=_SHOWN_NOW) for sort in RagSort}
LISTS_THEN = {sort: _sorted(sort, members=_THEN, left_ones="", shown=_SHOWN_THEN) for sort in RagSort}

# What the lists say follows from the trust's own version, from the phases that have criteria, and from the register:
# its names, its phases, who belongs.
_VERSION = """
    select coalesce((select v.version from academy.rag_version v where v.trust_id = $1), 0) as version,
        (select concat(max(c.published_at), max(c.retired_at)) from academy.criteria_set c
         where c.trust_id = $1) as criteria,
        count(*) as members, max(m.recorded_at) as recorded_at, max(m.superseded_at) as superseded_at,
        max(s.updated_at) as updated_at
    from academy.membership m left join academy.school s on s.urn = m.urn
    where m.register_id = $1
"""


_PUBLISHED = """
    select c.phase, c.id::text as id from academy.criteria_set c
    where c.trust_id = $1 and c.published_at <= coalesce($2, 'infinity'::timestamptz)
      and (c.retired_at is null or c.retired_at > $2)
"""


# What is stored of a criterion is more than three times as long.
_CRITERIA = """
    select r.id::text as rating_id, (
        select json_agg(json_build_object('code', c -> 'code', 'title', c -> 'title', 'status', c -> 'status',
            'step', c -> 'step', 'value', c -> 'value', 'unit', c -> 'unit', 'period', c -> 'period',
            'reason', c -> 'reason', 'sentence', c -> 'sentence') order by place)
        from jsonb_array_elements(r.criteria) with ordinality as e (c, place)
    )::text as criteria
    from academy.rating r
    where r.trust_id = $1 and ($2::int[] is null or r.urn = any($2::int[])) and r.id = any($3::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statuses: on which day in London, replayed or changed since which instant, with which filters, in which
    order, and after whose name, URN and place in the order.
    """

    day: date
    as_of: datetime | None
    updated_since: datetime | None
    statuses: Sequence[str]
    phases: Sequence[str]
    local_authorities: Sequence[str]
    sort: RagSort
    after: Sequence[Any] | None
    limit: int


async def rag_statuses(connection: Connection, caller: Caller, wanted: Wanted) -> list[asyncpg.Record]:
    """What boards show of each academy that the caller may see."""
    return await connection.fetch(
        (LISTS_NOW if wanted.as_of is None else LISTS_THEN)[wanted.sort],
        caller.tenant_id,
        None if caller.academies is None else sorted(caller.academies),
        wanted.day,
        wanted.as_of,
        list(wanted.statuses),
        list(wanted.phases),
        wanted.updated_since,
        None if wanted.after is None else str(wanted.after[0]),
        None if wanted.after is None else int(wanted.after[1]),
        wanted.limit,
        list(wanted.local_authorities),
        None if wanted.after is None else int(wanted.after[2]),
    )


async def criteria_of(connection: Connection, caller: Caller, rating_ids: Sequence[str]) -> dict[str, str]:
    """The criteria of these ratings as JSON, by the rating's id."""
    academies = None if caller.academies is None else sorted(caller.academies)
    rows = await connection.fetch(_CRITERIA, caller.tenant_id, academies, rating_ids)
    return {row["rating_id"]: row["criteria"] or "[]" for row in rows}


async def published_sets(connection: Connection, caller: Caller, as_of: datetime | None) -> dict[str, str]:
    """The ids of the trust's criteria sets that were published at an instant, by phase; of now for None."""
    return {row["phase"]: row["id"] for row in await connection.fetch(_PUBLISHED, caller.tenant_id, as_of)}


async def version(connection: Connection, context: Context, day: date) -> str:
    """A word that changes whenever what this trust is shown does: also at midnight, when overrides lapse."""
    row = await connection.fetchrow(_VERSION, context.tenant_id)
    assert row is not None
    return f"{day}|" + "|".join(str(value) for value in row.values())
