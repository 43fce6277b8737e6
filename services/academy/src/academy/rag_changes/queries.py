"""All SQL about changes of statuses; it names the trust and the academies beside row-level security."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from academy.moderations.events import ENDED, MODERATED
from academy.rag_changes.rules import Change, Kind
from academy.ratings.events import COMPUTED
from kit.database.sessions import Session
from kit.identity.callers import Caller
from sector.trusts import trust_name as written

_KINDS = {COMPUTED.type: Kind.RATED, MODERATED.type: Kind.OVERRIDDEN, ENDED.type: Kind.OVERRIDE_ENDED}

_CHANGES = text(
    """
    select e.id, e.type, coalesce(s.name, 'Academy ' || e.urn) as academy, e.occurred_at,
           e.data -> 'before' ->> 'status' as before, e.data -> 'after' ->> 'status' as after,
           e.data ->> 'lapses_on' as lapses_on, e.data ->> 'how' as how,
           exists (
               select from academy.moderation m
               where m.trust_id = e.trust_id and m.urn = e.urn and m.made_at <= e.occurred_at
                 and (m.ended_at is null or m.ended_at > e.occurred_at)
           ) as is_covered
    from event e left join academy.school s on s.urn = e.urn
    where e.trust_id = :trust_id
      and (cast(:academies as int[]) is null or e.urn = any(cast(:academies as int[])))
      and (cast(:urn as int) is null or e.urn = :urn)
      and (
          e.type = :computed and e.data -> 'before' ->> 'status' is distinct from e.data -> 'after' ->> 'status'
          or e.type = :moderated
          -- The event of the override that takes its place says so already.
          or e.type = :ended and e.data ->> 'how' <> 'replaced'
      )
    order by e.epoch desc, e.xid desc, e.seq desc limit :limit
    """
)

_TRUST = text("select name from academy.trust_register where id = :trust_id")


async def changes(session: Session, caller: Caller, *, urn: int | None, limit: int) -> Sequence[Change]:
    """The latest changes that the caller may see, newest first."""
    parameters: dict[str, Any] = {
        "trust_id": caller.tenant_id,
        "academies": None if caller.academies is None else sorted(caller.academies),
        "urn": urn,
        "limit": limit,
        "computed": COMPUTED.type,
        "moderated": MODERATED.type,
        "ended": ENDED.type,
    }
    rows = (await session.execute(_CHANGES, parameters)).all()
    return [
        Change(
            id=row.id,
            kind=_KINDS[row.type],
            academy=row.academy,
            before=row.before,
            after=row.after,
            at=row.occurred_at,
            is_covered=row.is_covered,
            lapses_on=None if row.lapses_on is None else date.fromisoformat(row.lapses_on),
            how=row.how,
        )
        for row in rows
    ]


async def trust_name(session: Session, caller: Caller) -> str | None:
    """The name of the caller's trust."""
    registered: str | None = (await session.execute(_TRUST, {"trust_id": caller.tenant_id})).scalar_one_or_none()
    return None if registered is None else written(registered)
