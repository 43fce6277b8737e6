"""Overriding computed ratings: making, withdrawing, lapsing, finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from academy.criteria.documents import scale_of, step_told
from academy.criteria.rules import Status, Step, step_meant
from academy.moderations import queries
from academy.moderations.errors import (
    AcademyNotFound,
    LeadsThisAcademy,
    ModerationEnded,
    ModerationNotFound,
    ModerationNotPossible,
    RatingNotCurrent,
    RatingNotFound,
)
from academy.moderations.events import ENDED, MODERATED, ModerationEndedData, RatingModerated
from academy.moderations.rules import LONGEST_DAYS, may_lapse_on
from academy.moderations.schemas import ModerationCreate, ModerationListParams
from academy.moderations.tables import Moderation
from academy.parameters import today
from academy.rag_statuses import projection
from academy.recording import begin_recording
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import NewEvent, record_event, record_events
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.jobs.queue import defer
from kit.resources.cursors import decode, encode
from kit.resources.etags import check_if_match, etag
from sector.days import end_of

LIST = "moderations"
LAPSE = "academy.moderations.lapse"


def rating_tag(rating_id: UUID, moderation_id: str | None, *, is_current: bool) -> str:
    """The ETag of a rating: it never alters, but what is told over it does."""
    if not is_current:
        return etag(f"{rating_id}.past")
    return etag(f"{rating_id}.{moderation_id or 'computed'}")


def tag_of(moderation: dict[str, Any]) -> str:
    """The ETag of a moderation. One that has lapsed by its day says so before the job has ended it."""
    lapsing = moderation["state"] == "lapsed" and moderation["ended_at"] is None
    return etag(f"{moderation['version']}{'.lapsed' if lapsing else ''}")


async def moderate(
    session: Session, caller: Caller, rating_id: UUID, body: ModerationCreate, if_match: str
) -> dict[str, Any]:
    """Override the rating that is told of an academy, and later ones, until it ends.

    Raises RatingNotFound, LeadsThisAcademy, PreconditionFailed, RatingNotCurrent or ModerationNotPossible.
    """
    found = await queries.rating(session, caller, rating_id)
    if found is None:
        raise RatingNotFound(f"There is no rating {rating_id} that you may see.")
    urn, computed, scale = found
    _check_may_judge(caller, urn)
    held = await projection.hold(session, caller.tenant_id, urn)
    is_current = held is not None and held[0] == rating_id
    replaced = await queries.in_force(session, caller, urn, today())
    current_tag = rating_tag(rating_id, replaced["id"] if replaced else None, is_current=is_current)
    check_if_match(if_match, current_tag)
    if not is_current:
        raise RatingNotCurrent("Read the academy's ratings again; a newer one is told now.")
    step = _check_body(body, scale)
    made = Moderation(
        trust_id=caller.tenant_id,
        id=uuid7(),
        urn=urn,
        rating_id=rating_id,
        status=body.status.value,
        step=step,
        computed_status=computed,
        reason=body.reason.strip(),
        evidence_url=body.evidence_url,
        lapses_on=body.lapses_on,
        made_at=clock.now(),
        made_by=caller.subject,
        version=1,
    )
    recorded_at = await begin_recording(session)
    # Also one that has lapsed by its date and that the job hasn't come to yet.
    ended = await queries.end(session, caller.tenant_id, [urn], how="replaced", by=caller.subject, at=made.made_at)
    await queries.add(session, made)
    await projection.tell_moderation(session, caller.tenant_id, urn, made.id, at=recorded_at)
    await projection.raise_version(session, caller.tenant_id)
    before = {"status": replaced["status"] if replaced else computed, "moderated": replaced is not None}
    after = {"status": made.status, "moderated": True}
    for moderation_id, _, status in ended:
        await _tell_ended(session, urn, moderation_id, "replaced", status, after)
    data = {
        "urn": urn,
        "rating_id": rating_id,
        "moderation_id": made.id,
        "before": before,
        "after": after,
        "lapses_on": made.lapses_on,
    }
    await record_event(
        session, MODERATED, subject=f"ratings/{rating_id}", urn=urn, data=RatingModerated.model_validate(data)
    )
    await defer(
        session,
        LAPSE,
        at=end_of(made.lapses_on),
        trust_id=caller.tenant_id,
        moderation_id=made.id,
    )
    return await find(session, caller, made.id)


def _check_may_judge(caller: Caller, urn: int) -> None:
    if urn in caller.leads:
        raise LeadsThisAcademy(f"You lead academy {urn}; somebody else must judge it.")


def _check_body(body: ModerationCreate, scale: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The step that the new status stands for."""
    if not may_lapse_on(body.lapses_on, today()):
        raise ModerationNotPossible.because(
            "lapses_on", "lapses_on_out_of_range", f"Choose a day after today and within {LONGEST_DAYS} days."
        )
    steps = scale_of({"scale": scale})
    step = step_meant(body.step, Status(body.status.value), steps)
    if step is None:
        raise ModerationNotPossible.because(
            "status", "status_not_on_scale", f"No step of the trust's scale stands for {body.status}."
        )
    if body.step not in (None, step.code):
        raise ModerationNotPossible.because("step", *_why_not(body.step, body.status.value, steps))
    return step_told(step, steps)


def _why_not(code: str | None, status: str, steps: Sequence[Step]) -> tuple[str, str]:
    """Why this step can't be given with this status: a stable code and what there is."""
    fitting = ", ".join(step.code for step in steps if step.status == status)
    if code in {step.code for step in steps}:
        return "step_contradicts_status", f"{code} doesn't stand for {status}; these do: {fitting}."
    return "unknown_step", f"The scale has no step {code}; for {status} it has {fitting}."


async def withdraw(
    session: Session, caller: Caller, moderation_id: UUID, if_match: str, *, reason: str | None
) -> dict[str, Any]:
    """End an override before its day.

    Raises ModerationNotFound, LeadsThisAcademy, PreconditionFailed or ModerationEnded.
    """
    found = await find(session, caller, moderation_id)
    _check_may_judge(caller, found["urn"])
    await projection.hold(session, caller.tenant_id, found["urn"])
    found = await find(session, caller, moderation_id)
    check_if_match(if_match, tag_of(found))
    if found["state"] != "in_force":
        raise ModerationEnded("It counts no longer.")
    why = None if reason is None else reason.strip()
    await _end(session, caller.tenant_id, found["urn"], how="withdrawn", by=caller.subject, reason=why)
    return await find(session, caller, moderation_id)


async def lapse(session: Session, trust_id: UUID, moderation_id: UUID) -> bool:
    """End an override whose last day is over, in the trust's own context; False when there was nothing to end."""
    found = await session.get(Moderation, (trust_id, moderation_id))
    if found is None or not _has_lapsed(found):
        return False
    await projection.hold(session, trust_id, found.urn)
    # Somebody may have put another in its place meanwhile, and that one counts.
    await session.refresh(found)
    return _has_lapsed(found) and await _end(session, trust_id, found.urn, how="lapsed", by=None)


def _has_lapsed(moderation: Moderation) -> bool:
    return moderation.ended_at is None and moderation.lapses_on < today()


async def _end(
    session: Session, trust_id: UUID, urn: int, *, how: str, by: str | None, reason: str | None = None
) -> bool:
    """End what is in force; the academy's status is held. False when somebody else has ended it."""
    recorded_at = await begin_recording(session)
    ended = await queries.end(session, trust_id, [urn], how=how, by=by, at=clock.now(), reason=reason)
    if not ended:
        return False
    await projection.tell_moderation(session, trust_id, urn, None, at=recorded_at)
    await projection.raise_version(session, trust_id)
    after = {"status": await queries.computed_status(session, trust_id, urn), "moderated": False}
    for moderation_id, _, status in ended:
        await _tell_ended(session, urn, moderation_id, how, status, after)
    return True


async def end_of_leavers(session: Session, trust_id: UUID, urns: Sequence[int]) -> None:
    """End the overrides of academies that have left the trust."""
    if urns:
        ended = await queries.end(session, trust_id, urns, how="left", by=None, at=clock.now())
        events = [_ended(urn, moderation_id, "left", status, None) for moderation_id, urn, status in ended]
        await record_events(session, events)


async def _tell_ended(
    session: Session, urn: int, moderation_id: UUID, how: str, status: str, after: dict[str, Any]
) -> None:
    await record_events(session, [_ended(urn, moderation_id, how, status, after)])


def _ended(urn: int, moderation_id: UUID, how: str, status: str, after: dict[str, Any] | None) -> NewEvent:
    data = {
        "urn": urn,
        "moderation_id": moderation_id,
        "how": how,
        "before": {"status": status, "moderated": True},
        "after": after,
    }
    return NewEvent(ENDED, f"moderations/{moderation_id}", urn, ModerationEndedData.model_validate(data))


async def find(session: Session, caller: Caller, moderation_id: UUID) -> dict[str, Any]:
    """One moderation with its `version`. Raises ModerationNotFound."""
    found = await queries.moderation(session, caller, moderation_id, today())
    if found is None:
        raise ModerationNotFound(f"There is no moderation {moderation_id} that you may see.")
    return found


async def moderation_in_force(session: Session, caller: Caller, urn: int) -> dict[str, Any] | None:
    """The override that counts for an academy now; None when the computed rating is told."""
    return await queries.in_force(session, caller, urn, today())


async def list_moderations(
    session: Session, caller: Caller, urn: int, params: ModerationListParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of an academy's moderations, newest first. Raises AcademyNotFound or InvalidCursor."""
    filters = {"urn": urn}
    after = None
    if params.cursor is not None:
        after = decode(LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    found = await queries.moderations(session, caller, urn, today(), after=after, limit=params.limit + 1)
    if not found and after is None and not await queries.belongs(session, caller, urn, today()):
        raise AcademyNotFound(f"There is no academy {urn} of your trust that you may see.")
    items, more = found[: params.limit], len(found) > params.limit
    last = [items[-1]["made_at"].isoformat(), items[-1]["id"]] if more else None
    return items, encode(LIST, last, tenant=caller.tenant_id, filters=filters) if last else None
