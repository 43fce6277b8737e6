"""Rating a trust's academies anew, and finding ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from academy.academies.service import check_own
from academy.criteria.queries import published_sets, sets_by_id
from academy.moderations.events import PublishedStatus, StepFacts
from academy.moderations.queries import in_force_of
from academy.moderations.service import end_of_leavers, moderation_in_force, overridden, rating_tag
from academy.moderations.tables import Moderation
from academy.parameters import today
from academy.rag_statuses.projection import Shown, has_begun, raise_version, show, show_left, shown_now
from academy.ratings import queries
from academy.ratings.computing import Applied, Computed, compute, compute_without_criteria, set_for
from academy.ratings.errors import AsOfInFuture, RatingNotFound
from academy.ratings.events import COMPUTED, CriterionFacts, RatingComputed
from academy.ratings.evidence import Member, gather, members, next_move
from academy.ratings.schemas import RatingDetailOut, RatingListParams, RatingOut, RatingPage
from academy.ratings.tables import Rating
from academy.recording import begin_recording
from academy.trusts.events import (
    ACADEMY_CHANGED,
    ACADEMY_JOINED,
    ACADEMY_LEFT,
    AcademyChanged,
    AcademyFacts,
    AcademyJoined,
    AcademyMoved,
)
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import NewEvent, record_events
from kit.identity.callers import Caller
from kit.jobs.queue import defer
from kit.resources.paging import Listing, paginate
from kit.steps import in_steps
from sector.days import end_of

NEWEST = Listing("ratings", Rating, "-rated_at", "-id")
COME_BACK = "academy.ratings.come_back"


async def rerate(session: Session, trust_id: UUID) -> int:
    """Rate the academies of a trust from the data of this moment; gives how many said something new.

    The session is under the trust's own context. An academy whose rating says what it said keeps it; one that no set
    rates any longer gets one without a colour. The feed hears of academies that have joined or left since. Those that
    have left are shown as tombstones, and overrides of theirs end.
    """
    await queries.one_at_a_time(session, trust_id)
    sets = {found.phase: Applied.of(found) for found in await published_sets(session, trust_id)}
    belonging = await members(session, trust_id, today())
    before = await queries.newest_ratings(session, trust_id)
    computed = [
        *await compute_for(session, trust_id, belonging, sets),
        *await _no_longer_rated(session, trust_id, belonging, sets, before),
    ]
    new = [(one, content) for one in computed if (content := one.content_sha256()) != _content(before.get(one.urn))]
    at = await begin_recording(session)
    rated_at = clock.now()
    ids = await queries.keep(session, trust_id, new, rated_at=rated_at)
    if await _project(session, trust_id, belonging, ids, at=at) or ids:
        await raise_version(session, trust_id)
    overrides = await in_force_of(session, trust_id, list(ids), today()) if ids else {}
    await record_events(
        session,
        [
            _event(one, ids[one.urn], before.get(one.urn), _shown(one, overrides.get(one.urn)), rated_at)
            for one, _ in new
        ],
    )
    await _come_back_when_members_move(session, trust_id)
    return len(new)


def _content(rating: queries.Newest | None) -> bytes | None:
    return None if rating is None else rating.content_sha256


async def _no_longer_rated(
    session: Session,
    trust_id: UUID,
    belonging: Sequence[Member],
    sets: Mapping[str, Applied],
    before: Mapping[int, queries.Newest],
) -> list[Computed]:
    """What takes the place of ratings that nothing would renew: no published set rates the academy as it is now."""
    ended = [
        (member, known)
        for member in belonging
        if set_for(member.phase, sets) is None and (known := before.get(member.urn)) is not None
    ]
    if not ended:
        return []
    found = await sets_by_id(session, trust_id, {known.criteria_set_id for _, known in ended})
    rated_by = {one.id: Applied.of(one) for one in found}
    return [compute_without_criteria(member, rated_by[known.criteria_set_id], known.phase) for member, known in ended]


async def _come_back_when_members_move(session: Session, trust_id: UUID) -> None:
    """See to it that the trust is rated on the day on which an academy joins or leaves by a date known already."""
    day = await next_move(session, trust_id, today())
    if day is not None:
        at = end_of(day - timedelta(days=1))
        if not await queries.is_due(session, COME_BACK, trust_id, at):
            await defer(session, COME_BACK, at=at, trust_id=trust_id)


async def compute_for(
    session: Session, trust_id: UUID, belonging: Sequence[Member], sets: Mapping[str, Applied]
) -> list[Computed]:
    """What ratings of these academies by these sets would say; nothing is kept. Others run meanwhile."""
    rated = [member for member in belonging if set_for(member.phase, sets) is not None]
    used = {applied.id: applied for member in rated if (applied := set_for(member.phase, sets)) is not None}
    criteria = [criterion for applied in used.values() for criterion in applied.rules.criteria]
    gathered = await gather(session, trust_id, [member.urn for member in rated], criteria)
    return await in_steps(compute(rated, sets, gathered))


async def _project(
    session: Session, trust_id: UUID, belonging: Sequence[Member], ids: Mapping[int, UUID], *, at: datetime
) -> bool:
    """Bring what is shown of each academy up to date; True when something changed, or nothing was ever shown."""
    shown = await shown_now(session, trust_id)
    begins = not shown and not await has_begun(session, trust_id)
    changes = [
        (member.urn, member.name, member.phase, ids.get(member.urn) or (known.rating_id if known else None))
        for member in belonging
        if _differs(known := shown.get(member.urn), member, ids)
    ]
    present = {member.urn for member in belonging}
    leavers = [urn for urn, known in shown.items() if urn not in present and not known.has_left]
    staying = [member for member in belonging if (known := shown.get(member.urn)) is not None and not known.has_left]
    if begins:
        await _announce_facts(session, trust_id, belonging, shown)
    else:
        joiners = [member for member in belonging if (known := shown.get(member.urn)) is None or known.has_left]
        await _announce_moves(session, trust_id, joiners, leavers)
        await _announce_facts(session, trust_id, staying, shown)
    await show(session, trust_id, changes, at=at)
    await show_left(session, trust_id, leavers, at=at)
    await end_of_leavers(session, leavers)
    return bool(begins or changes or leavers)


async def _announce_moves(session: Session, trust_id: UUID, joiners: Sequence[Member], leavers: Sequence[int]) -> None:
    """Announce who joined and who left, with the days as the register says them now."""
    joined = {member.urn: member for member in joiners}
    found = await queries.memberships(session, trust_id, [*joined, *leavers], today())
    await record_events(session, [_moved(row, joined.get(row["urn"])) for row in found])


def _moved(row: Mapping[str, Any], member: Member | None) -> NewEvent:
    urn = row["urn"]
    if member is None:
        days = {name: row[name] for name in AcademyMoved.model_fields}
        return NewEvent(ACADEMY_LEFT, f"academies/{urn}", urn, AcademyMoved(**days))
    data = AcademyJoined(**row, name=member.name, phase=member.phase)
    return NewEvent(ACADEMY_JOINED, f"academies/{urn}", urn, data)


async def _announce_facts(
    session: Session, trust_id: UUID, members_: Sequence[Member], shown: Mapping[int, Shown]
) -> None:
    """Announce names and phases that differ from those that were announced last, or that never were."""
    new = {member.urn: member for member in members_ if not _is_announced(shown.get(member.urn), member)}
    found = await queries.memberships(session, trust_id, list(new), today())
    await record_events(session, [_changed(row, new[row["urn"]], shown.get(row["urn"])) for row in found])


def _changed(row: Mapping[str, Any], member: Member, known: Shown | None) -> NewEvent:
    before = None
    if known is not None and known.name is not None:
        before = AcademyFacts(name=known.name, phase=known.phase)
    more = {name: row[name] for name in ("joined_on", "local_authority", "local_authority_code")}
    after = AcademyFacts(name=member.name, phase=member.phase)
    data = AcademyChanged(urn=member.urn, before=before, after=after, **more)
    return NewEvent(ACADEMY_CHANGED, f"academies/{member.urn}", member.urn, data)


def _is_announced(known: Shown | None, member: Member) -> bool:
    return known is not None and (known.name, known.phase) == (member.name, member.phase)


def _differs(known: Shown | None, member: Member, ids: Mapping[int, UUID]) -> bool:
    return known is None or known.has_left or not _is_announced(known, member) or member.urn in ids


def _shown(one: Computed, override: Moderation | None) -> PublishedStatus:
    """What boards show of an academy with this new rating: an override in force stays, on the scale of the rating."""
    if override is None:
        step = None if one.step is None else StepFacts.model_validate(one.step)
        return PublishedStatus(status=one.outcome.status, step=step, moderated=False)
    return overridden(override, one.criteria_set.rules.scale)


def _event(
    one: Computed, rating_id: UUID, before: queries.Newest | None, shown: PublishedStatus, rated_at: datetime
) -> NewEvent:
    data = RatingComputed.model_validate(
        {
            "urn": one.urn,
            "before": None if before is None else {"rating_id": before.id, "status": before.status},
            "after": {"rating_id": rating_id, "status": one.status},
            "criteria_set_id": one.criteria_set.id,
            "phase": one.phase,
            "step": one.step,
            "counts": one.counts,
            "data_as_at": one.data_as_at,
            "rated_at": rated_at,
            "shown": shown,
            "criteria": [{name: criterion[name] for name in CriterionFacts.model_fields} for criterion in one.criteria],
        }
    )
    return NewEvent(COMPUTED, f"ratings/{rating_id}", one.urn, data)


async def view_rating(session: Session, caller: Caller, rating_id: UUID) -> RatingDetailOut:
    """One rating with the override that is in force over it. Raises RatingNotFound."""
    found = await queries.rating(session, caller, rating_id)
    if found is None:
        raise RatingNotFound(f"There is no rating {rating_id} that you may see.")
    rating, criteria_set, is_current = found
    counting = await moderation_in_force(session, caller, rating.urn) if is_current else None
    fields = dict(RatingOut.of(rating, criteria_set))
    tag = rating_tag(rating_id, counting.id if counting else None, is_current=is_current)
    return RatingDetailOut(**fields, is_current=is_current, moderation=counting).tagged(tag)


async def list_ratings(session: Session, caller: Caller, urn: int, params: RatingListParams) -> RatingPage:
    """A page of an academy's ratings, newest first. Raises AcademyNotFound, AsOfInFuture or InvalidCursor."""
    if params.as_of is not None and params.as_of > clock.now():
        raise AsOfInFuture.at(params.as_of)
    found = await paginate(session, caller, NEWEST, queries.ratings_of(caller, urn, params.as_of), params, urn=urn)
    if not found.rows and params.cursor is None:
        await check_own(session, caller, urn)
    return RatingPage.of(found, lambda row: RatingOut.of(*row))
