"""What a trust's feed hears of an import: figures of its academies and days of membership that have changed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text

from academy.imports.applying.register_notices import register_events
from academy.imports.events import OBSERVATION_CHANGED, ObservationChanged
from academy.imports.tables import Import, ReferenceLoad
from academy.rate_again import rate_again, ratings_lock
from academy.trusts.events import MEMBERSHIP_CHANGED, MembershipChanged, MembershipDays
from academy.trusts.rules import Days, changes
from kit import clock
from kit.database.sessions import Context, Database, Session
from kit.events.recording import NewEvent, record_events
from kit.jobs.queue import defer

NOTICE_TASK: Final = "academy.imports.tell"
WITHDRAWAL_TASK: Final = "academy.imports.announce_withdrawal"

_NOTICE = text(
    """
    insert into academy.import_notice (trust_id, import_id, told_at) values (:trust, :import_id, :now)
    on conflict do nothing returning import_id
    """
)

_WITHDRAWAL_NOTICE = text(
    """
    insert into academy.import_notice as n (trust_id, import_id, told_at, withdrawal_announced_at)
    values (:trust, :import_id, :now, :now)
    on conflict (trust_id, import_id) do update set withdrawal_announced_at = :now
    where n.withdrawal_announced_at is null returning import_id
    """
)

_OWN_CHANGES = text(
    """
    select urn, measure, academic_year, count(*) - count(old_id) as figures_new, count(old_id) as figures_changed
    from changed_observations group by urn, measure, academic_year order by urn, measure, academic_year
    """
)

_NATIONAL_CHANGES = text(
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

_OWN_WITHDRAWN = text(
    """
    select urn, measure, academic_year, 0 as figures_new, count(before_id) as figures_changed,
        count(*) - count(before_id) as figures_withdrawn
    from withdrawn_observations group by urn, measure, academic_year order by urn, measure, academic_year
    """
)

_NATIONAL_WITHDRAWN = text(
    """
    select o.urn, o.measure, o.academic_year, 0 as figures_new, count(b.id) as figures_changed,
        count(*) - count(b.id) as figures_withdrawn
    from academy.reference_load l
    join academy.reference_observation o on o.import_id = l.import_id and o.superseded_at = l.withdrawn_at
    left join academy.reference_observation b
        on b.urn = o.urn and b.measure = o.measure and b.academic_year = o.academic_year
       and b.pupil_group = o.pupil_group and b.period = o.period and b.release = o.release
       and b.recorded_at = l.withdrawn_at
    where l.import_id = :import_id
      and o.urn in (select m.urn from academy.membership m where m.register_id = :trust and m.superseded_at is null)
    group by o.urn, o.measure, o.academic_year order by o.urn, o.measure, o.academic_year
    """
)

# The trust's memberships as the import has them, and those that they replaced.
_MEMBERSHIPS = text(
    """
    select m.urn, m.joined_on, m.left_on, coalesce(m.import_id = l.import_id, false) as is_new
    from academy.reference_load l
    join academy.membership m
        on m.register_id = :trust and (m.import_id = l.import_id or m.superseded_at = l.recorded_at)
    where l.import_id = :import_id order by m.urn
    """
)


class _FigureChanges(NamedTuple):
    """How many figures of one academy, measure and year an import changed."""

    urn: int
    measure: str
    academic_year: str
    figures_new: int
    figures_changed: int
    figures_withdrawn: int = 0

    def event(self, layer: Literal["national", "trust"], import_id: UUID) -> NewEvent:
        """The event about them."""
        data = ObservationChanged(**self._asdict(), layer=layer, import_id=import_id)
        return NewEvent(OBSERVATION_CHANGED, f"academies/{self.urn}", self.urn, data)


class _Membership(NamedTuple):
    """A membership that an import brought, or replaced."""

    urn: int
    joined_on: date
    left_on: date | None
    is_new: bool


async def announce_own(session: Session, running: Import) -> None:
    """Announce which of a trust's own figures changed, in the transaction that changed them, and rate it again."""
    rows = [_FigureChanges(*row) for row in await session.execute(_OWN_CHANGES)]
    await record_events(session, [row.event("trust", running.id) for row in rows])
    await rate_again(session, running.trust_id, import_id=running.id)


async def queue_for(session: Session, receipt: ReferenceLoad) -> None:
    """Queue, for each trust that a national import affects, its notice and then its rating."""
    for trust_id in receipt.affected_trusts:
        lock = ratings_lock(trust_id)
        await defer(session, NOTICE_TASK, lock=lock, trust_id=trust_id, import_id=receipt.import_id)
        await rate_again(session, trust_id, import_id=receipt.import_id)


async def announce_national(database: Database, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust, once, what a national import changed for it.

    Academies that join or leave are announced by the trust's rating, on the day (see `academy.ratings`).
    """
    about = {"trust": trust_id, "import_id": import_id}
    async with database.session(Context(trust_id, None, "worker:academy")) as session:
        if (await session.execute(_NOTICE, {**about, "now": clock.now()})).scalar_one_or_none() is None:
            return
        memberships = [_Membership(*row) for row in await session.execute(_MEMBERSHIPS, about)]
        figures = [_FigureChanges(*row) for row in await session.execute(_NATIONAL_CHANGES, about)]
        events = _membership_events(memberships, import_id)
        events += [changed.event("national", import_id) for changed in figures]
        await record_events(session, [*events, *await register_events(session, trust_id, import_id)])


async def announce_own_withdrawal(session: Session, withdrawn: Import) -> None:
    """Announce which of a trust's own figures a withdrawal changed, in its transaction, and rate the trust again."""
    rows = [_FigureChanges(*row) for row in await session.execute(_OWN_WITHDRAWN)]
    await record_events(session, [row.event("trust", withdrawn.id) for row in rows])
    await rate_again(session, withdrawn.trust_id, import_id=withdrawn.id)


async def queue_withdrawal_for(session: Session, import_id: UUID, trusts: Iterable[UUID]) -> None:
    """Queue, for each trust that the withdrawal of a national import affects, its notice and then its rating."""
    for trust_id in trusts:
        await defer(session, WITHDRAWAL_TASK, lock=ratings_lock(trust_id), trust_id=trust_id, import_id=import_id)
        await rate_again(session, trust_id, import_id=import_id)


async def announce_withdrawal(database: Database, trust_id: UUID, import_id: UUID) -> None:
    """Announce to a trust, once, what the withdrawal of a national import changed for it."""
    about = {"trust": trust_id, "import_id": import_id}
    async with database.session(Context(trust_id, None, "worker:academy")) as session:
        if (await session.execute(_WITHDRAWAL_NOTICE, {**about, "now": clock.now()})).scalar_one_or_none() is None:
            return
        figures = [_FigureChanges(*row) for row in await session.execute(_NATIONAL_WITHDRAWN, about)]
        events = [changed.event("national", import_id) for changed in figures]
        events += await register_events(session, trust_id, import_id, is_withdrawal=True)
        await record_events(session, events)


def _membership_events(rows: Iterable[_Membership], import_id: UUID) -> list[NewEvent]:
    """An event for each membership that has changed; the rows are in the order of URNs."""
    events = []
    for urn, of_academy in groupby(rows, key=attrgetter("urn")):
        days: dict[bool, list[Days]] = {False: [], True: []}
        for row in of_academy:
            days[row.is_new].append(Days(row.joined_on, row.left_on))
        for before, after in changes(days[False], days[True]):
            data = MembershipChanged(urn=urn, before=_shown(before), after=_shown(after), import_id=import_id)
            events.append(NewEvent(MEMBERSHIP_CHANGED, f"academies/{urn}", urn, data))
    return events


def _shown(days: Days | None) -> MembershipDays | None:
    return None if days is None else MembershipDays(joined_on=days.joined_on, left_on=days.left_on)
