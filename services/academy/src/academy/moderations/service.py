"""Overriding a rating, finding overrides, and ending them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from sqlmodel import col

from academy.academies.service import check_own
from academy.codes import Code
from academy.criteria.documents import RulesDocument, placed, step_on_scale
from academy.criteria.rules import Status, Step, StepNotPossible, step_given
from academy.moderations import errors, queries
from academy.moderations.events import (
    ENDED,
    MODERATED,
    Ending,
    ModerationEndedData,
    PublishedStatus,
    RatingModerated,
    StepFacts,
)
from academy.moderations.rules import LONGEST_DAYS, may_lapse_on
from academy.moderations.schemas import ModerationCreate, ModerationListParams, ModerationOut, ModerationPage
from academy.moderations.tables import Moderation
from academy.moderations.transitions import MODERATIONS, MODERATORS
from academy.parameters import today
from academy.rag_statuses import projection
from academy.recording import begin_recording
from kit import clock
from kit.database.sessions import Session, context_of_session
from kit.etags import check_if_match, etag
from kit.events.recording import record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.jobs.queue import defer
from kit.objects.service import FileOwner
from kit.resources.paging import Listing, paginate
from kit.resources.rows import add
from kit.resources.transitions import Taken, acting_role
from sector.days import end_of

NEWEST = Listing("moderations", Moderation, "-made_at", "-id")
LAPSE = "academy.moderations.lapse"


def rating_tag(rating_id: UUID, moderation_id: UUID | None, *, is_current: bool) -> str:
    """The ETag of a rating: it never alters, but the override over it does."""
    return etag(f"{rating_id}.{moderation_id or 'computed'}" if is_current else f"{rating_id}.past")


async def moderate(
    session: Session, caller: Caller, rating_id: UUID, body: ModerationCreate, if_match: str
) -> ModerationOut:
    """Override an academy's newest rating, and later ones, until the override ends.

    Raises RatingNotFound, LeadsThisAcademy, PreconditionFailed, RatingNotCurrent or ModerationNotPossible.
    """
    rating = await queries.rating(session, caller, rating_id)
    if rating is None:
        raise errors.RatingNotFound(f"There is no rating {rating_id} that you may see.")
    urn, computed, computed_step, rules = rating
    if urn in caller.leads:
        raise errors.LeadsThisAcademy(f"You lead academy {urn}; somebody else must judge it.")
    held = await projection.hold(session, caller.tenant_id, urn)
    is_current = held is not None and held[0] == rating_id
    counting = await queries.in_force(session, caller, urn, today())
    check_if_match(if_match, rating_tag(rating_id, counting[0].id if counting else None, is_current=is_current))
    if not is_current:
        raise errors.RatingNotCurrent("Read the academy's ratings again; there is a newer one.")
    moderation_id = uuid7()
    made = Moderation(
        trust_id=caller.tenant_id,
        id=moderation_id,
        urn=urn,
        rating_id=rating_id,
        step=_step_of(body, rules),
        computed_status=computed,
        reason=body.reason.strip(),
        evidence_url=body.evidence_url or f"/academy/v1/moderations/{moderation_id}/files",
        made_at=clock.now(),
        made_by=caller.subject,
        **body.model_dump(include={"status", "lapses_on"}),
    )
    before = overridden(counting[0], rules.steps) if counting else _computed(computed, computed_step)
    after = overridden(made, rules.steps)
    as_role = acting_role(caller, MODERATORS, urn)
    replaced = Taken(MODERATIONS.by_itself("replace").transition, as_role)
    await _end(session, [urn], replaced, after=after)
    await add(session, made)
    await _show(session, made, made.id)
    data = RatingModerated(
        urn=urn,
        rating_id=rating_id,
        moderation_id=made.id,
        before=before,
        after=after,
        lapses_on=made.lapses_on,
        by=caller.subject,
        as_role=as_role,
    )
    await record_event(session, MODERATED, subject=f"ratings/{rating_id}", urn=urn, data=data)
    await defer(session, LAPSE, at=end_of(made.lapses_on), trust_id=caller.tenant_id, moderation_id=made.id)
    return ModerationOut.of(made, rules, caller)


def overridden(moderation: Moderation, scale: Sequence[Step]) -> PublishedStatus:
    """What boards show of an academy under an override, on the scale that it is rated by; as given without one."""
    step = step_on_scale(moderation.step, moderation.status, scale)
    return PublishedStatus(status=Status(moderation.status), step=StepFacts.model_validate(step), moderated=True)


def _computed(status: str, step: Mapping[str, Any] | None) -> PublishedStatus:
    shown = None if step is None else StepFacts.model_validate(step)
    return PublishedStatus(status=Status(status), step=shown, moderated=False)


def _step_of(body: ModerationCreate, rules: RulesDocument) -> dict[str, Any]:
    """The step that the new status stands for. Raises ModerationNotPossible."""
    if not may_lapse_on(body.lapses_on, today()):
        detail = f"Choose a day after today and within {LONGEST_DAYS} days."
        raise errors.ModerationNotPossible.because("lapses_on", Code.LAPSES_ON_OUT_OF_RANGE, detail)
    try:
        return dict(placed(step_given(body.step, Status(body.status.value), rules.steps), rules.steps))
    except StepNotPossible as wrong:
        raise errors.ModerationNotPossible.because(wrong.field, wrong.code, str(wrong)) from None


async def withdraw(
    session: Session, caller: Caller, moderation_id: UUID, if_match: str, *, reason: str | None
) -> ModerationOut:
    """End an override before its day.

    Raises ModerationNotFound, LeadsThisAcademy, PreconditionFailed or ModerationEnded.
    """
    await projection.hold(session, caller.tenant_id, (await _find(session, caller, moderation_id))[0].urn)
    found, rules = await _find(session, caller, moderation_id)
    tag = ModerationOut.of(found, rules, caller).tag
    taken = MODERATIONS.check("withdraw", found, caller, if_match=if_match, tag=tag)
    await _end(session, [found.urn], taken, reason=reason)
    await _show(session, found, None)
    return ModerationOut.of(found, None, caller)


async def lapse(session: Session, trust_id: UUID, moderation_id: UUID) -> bool:
    """End an override whose last day is over, in the trust's own context; False when there was nothing to end."""
    found = await session.get(Moderation, (trust_id, moderation_id))
    if found is not None:
        await projection.hold(session, trust_id, found.urn)
        # Somebody may have put another in its place meanwhile, and that one counts.
        await session.refresh(found)
    if found is None or found.ended_at is not None or found.lapses_on >= today():
        return False
    await _end(session, [found.urn], MODERATIONS.by_itself("lapse"))
    await _show(session, found, None)
    return True


async def lapse_overdue(session: Session, trust_id: UUID) -> int:
    """End every override of the trust whose last day is over, in its own context; gives how many."""
    overdue = await queries.overdue(session, trust_id, today())
    return sum([await lapse(session, trust_id, moderation_id) for moderation_id in overdue])


async def end_of_leavers(session: Session, urns: Sequence[int]) -> None:
    """End the overrides of academies that have left the trust."""
    if urns:
        await _end(session, urns, MODERATIONS.by_itself("leave"))


async def _end(
    session: Session,
    urns: Sequence[int],
    taken: Taken,
    *,
    after: PublishedStatus | None = None,
    reason: str | None = None,
) -> None:
    """End what is open for these academies, and announce it. Without `after` the computed status follows, if any."""
    at, how, context = clock.now(), cast("Ending", taken.transition.target), context_of_session(session)
    for one in await queries.open_of(session, context.tenant_id, urns):
        one.ended_at, one.ended_how, one.version = at, how, one.version + 1
        one.ended_by = None if how in ("lapsed", "left") else context.subject
        one.ended_reason = reason.strip() if reason is not None else None
        await session.flush()
        await MODERATIONS.record(session, taken, one, before="in_force", reason=one.ended_reason, at=at)
        rated = await queries.newest_rating(session, context.tenant_id, one.urn)
        following = after
        if following is None and how != "left":
            following = _computed(rated.status, rated.step) if rated else _computed("not_assessed", None)
        data = ModerationEndedData(
            urn=one.urn,
            moderation_id=one.id,
            how=how,
            before=overridden(one, rated.rules.steps if rated else ()),
            after=following,
            by=one.ended_by,
            as_role=taken.as_role,
        )
        await record_event(session, ENDED, subject=f"moderations/{one.id}", urn=one.urn, data=data)


async def _show(session: Session, moderation: Moderation, shown: UUID | None) -> None:
    """Let the board show this override of the academy, or none."""
    at = await begin_recording(session)
    await projection.show_moderation(session, moderation.trust_id, moderation.urn, shown, at=at)
    await projection.raise_version(session, moderation.trust_id)


async def _find(session: Session, caller: Caller, moderation_id: UUID) -> queries.Found:
    found = await queries.moderation(session, caller, moderation_id, today())
    if found is None:
        raise errors.ModerationNotFound(f"There is no moderation {moderation_id} that you may see.")
    return found


async def view_moderation(session: Session, caller: Caller, moderation_id: UUID) -> ModerationOut:
    """One override. Raises ModerationNotFound."""
    return ModerationOut.of(*await _find(session, caller, moderation_id), caller)


async def owner_of_files(session: Session, *, caller: Caller, moderation_id: UUID) -> FileOwner:
    """What the files of an override belong to. Raises ModerationNotFound."""
    found, _ = await _find(session, caller, moderation_id)
    return FileOwner(f"moderations/{found.id}", found.urn)


async def owner_of_new_files(session: Session, *, caller: Caller, moderation_id: UUID) -> FileOwner:
    """The same for a caller who adds one. Raises ModerationNotFound, NotItsMaker or ModerationEnded."""
    found, _ = await _find(session, caller, moderation_id)
    if found.made_by != caller.subject:
        raise errors.NotItsMaker("Somebody else made this override; only they add evidence to it.")
    if found.state_on(today()) != "in_force":
        raise errors.ModerationEnded("This override has ended: its evidence stays as it is.", allowed=[])
    return FileOwner(f"moderations/{found.id}", found.urn)


async def moderation_in_force(session: Session, caller: Caller, urn: int) -> ModerationOut | None:
    """The override that counts for an academy now; None when the computed rating does."""
    found = await queries.in_force(session, caller, urn, today())
    return None if found is None else ModerationOut.of(*found, caller)


async def list_moderations(session: Session, caller: Caller, urn: int, params: ModerationListParams) -> ModerationPage:
    """A page of an academy's overrides, newest first. Raises AcademyNotFound or InvalidCursor."""
    statement = queries.moderations(caller, today()).where(col(Moderation.urn) == urn)
    found = await paginate(session, caller, NEWEST, statement, params, urn=urn)
    if not found.rows and params.cursor is None:
        await check_own(session, caller, urn)
    return ModerationPage.of(found, lambda row: ModerationOut.of(row[0], row[1], caller))
