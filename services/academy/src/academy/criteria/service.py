"""Drafting, publishing and finding criteria sets."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from academy.codes import Code
from academy.criteria import events, queries
from academy.criteria.documents import RulesDocument
from academy.criteria.errors import (
    CriteriaPublishedMeanwhile,
    CriteriaSetNotFound,
    unsound,
)
from academy.criteria.flaws import Catalogue, Flaw, Known, flaws_of
from academy.criteria.rules import Direction
from academy.criteria.schemas import (
    CriteriaSetCreate,
    CriteriaSetListParams,
    CriteriaSetOut,
    CriteriaSetPage,
    CriteriaSetPatch,
)
from academy.criteria.tables import ONE_PUBLISHED, CriteriaSet
from academy.criteria.transitions import CRITERIA_SETS, DRAFTERS
from academy.measures.rules import MEASURES, PUPIL_GROUPS, MeasureDirection
from academy.rate_again import rate_again
from kit import clock
from kit.database.sessions import Session, context_of_session
from kit.events.recording import EventType, record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import Listing, paginate
from kit.resources.rows import add, find
from kit.resources.transitions import Taken, acting_role

BY_PHASE = Listing("criteria-sets", CriteriaSet, "phase", "-number")
CATALOGUE = Catalogue(
    measures={
        code: Known(
            direction=None if measure.direction is MeasureDirection.NEUTRAL else Direction(measure.direction.value),
            minimum=Decimal(str(measure.minimum)),
            maximum=Decimal(str(measure.maximum)),
            has_interval=measure.has_interval,
        )
        for code, measure in MEASURES.items()
    },
    pupil_groups=tuple(PUPIL_GROUPS),
)


def flaws_of_document(document: RulesDocument) -> list[Flaw]:
    """All that is wrong with a document's rules; empty when they are sound."""
    there_are = ", ".join(step.code for step in document.steps)
    strange = [
        Flaw(f"/criteria/{place}/bounds/{code}", Code.UNKNOWN_STEP, f"the scale has no step {code}; it has {there_are}")
        for place, code in document.without_step()
    ]
    return flaws_of(document.values(), CATALOGUE) + strange


def check_sound(rules: RulesDocument) -> None:
    """Raises CriteriaSetNotSound or ComparisonNotSupported, with every flaw of a set's rules."""
    if flaws := flaws_of_document(rules):
        raise unsound(flaws)


async def list_sets(session: Session, caller: Caller, params: CriteriaSetListParams) -> CriteriaSetPage:
    """A page of the trust's sets by phase, newest first. Raises InvalidCursor."""
    statement = queries.criteria_sets(caller, phases=params.phase, states=params.state)
    found = await paginate(session, caller, BY_PHASE, statement, params)
    return CriteriaSetPage.of(found, lambda one: CriteriaSetOut.of(one, caller))


async def find_set(session: Session, caller: Caller, set_id: UUID, *, lock: bool = False) -> CriteriaSet:
    """One set of the caller's trust; with `lock` nobody else changes it. Raises CriteriaSetNotFound."""
    found = await find(session, caller, CriteriaSet, set_id, lock=lock)
    if found is None:
        raise CriteriaSetNotFound(f"Your trust has no criteria set {set_id}.")
    return found


async def view_set(session: Session, caller: Caller, set_id: UUID) -> CriteriaSetOut:
    """One set as the caller sees it. Raises CriteriaSetNotFound."""
    return CriteriaSetOut.of(await find_set(session, caller, set_id), caller)


async def draft_set(session: Session, caller: Caller, body: CriteriaSetCreate) -> CriteriaSetOut:
    """Keep a draft. Raises CriteriaSetNotSound or ComparisonNotSupported."""
    rules = RulesDocument(scale=body.scale, overall=body.overall, criteria=body.criteria)
    check_sound(rules)
    made = CriteriaSet(
        trust_id=caller.tenant_id,
        id=uuid7(),
        phase=body.phase.value,
        title=body.title,
        number=await queries.next_number(session, caller.tenant_id, body.phase.value),
        state=CRITERIA_SETS.initial,
        rules=rules,
        created_at=clock.now(),
        created_by=caller.subject,
    )
    await add(session, made)
    await _announce(session, events.CREATED, made, "absent", "draft", acting_role(caller, DRAFTERS))
    return CriteriaSetOut.of(made, caller)


async def _find_draft(session: Session, caller: Caller, set_id: UUID, if_match: str) -> tuple[CriteriaSet, Taken]:
    found = await find_set(session, caller, set_id, lock=True)
    return found, CRITERIA_SETS.check("change", found, caller, if_match=if_match, tag=found.tag)


async def change_draft(
    session: Session, caller: Caller, set_id: UUID, patch: CriteriaSetPatch, if_match: str
) -> CriteriaSetOut:
    """Change a draft. Raises CriteriaSetNotFound, PreconditionFailed, CriteriaAlreadyPublished or its flaws."""
    found, taken = await _find_draft(session, caller, set_id, if_match)
    rules, title = patch.applied_to(found.rules), patch.changes().get("title", found.title)
    check_sound(rules)
    if (rules, title) != (found.rules, found.title):
        found.rules, found.title, found.version = rules, title, found.version + 1
        await session.flush()
        await _announce(session, events.CHANGED, found, "draft", "draft", taken.as_role)
    return CriteriaSetOut.of(found, caller)


async def delete_draft(session: Session, caller: Caller, set_id: UUID, if_match: str) -> None:
    """Delete a draft. Raises CriteriaSetNotFound, PreconditionFailed or CriteriaAlreadyPublished."""
    found, taken = await _find_draft(session, caller, set_id, if_match)
    await _announce(session, events.DELETED, found, "draft", "absent", taken.as_role)
    await session.delete(found)


async def publish(session: Session, caller: Caller, set_id: UUID, if_match: str) -> CriteriaSetOut:
    """Let a draft rate the academies of its phase from now on, in place of the set before.

    Raises CriteriaSetNotFound, PreconditionFailed, CriteriaAlreadyPublished or CriteriaPublishedMeanwhile, and the
    flaws of a draft that the catalogue no longer agrees with.
    """
    found = await find_set(session, caller, set_id, lock=True)
    taken = CRITERIA_SETS.check("publish", found, caller, if_match=if_match, tag=found.tag)
    check_sound(found.rules)
    now = clock.now()
    await _retire_before(session, found, taken.as_role, at=now)
    found.state, found.published_at, found.published_by = "published", now, caller.subject
    found.version += 1
    try:
        await session.flush()
    except IntegrityError as error:
        if ONE_PUBLISHED not in str(error.orig):
            raise
        raise CriteriaPublishedMeanwhile("Read the sets again; another was published at the same moment.") from None
    await CRITERIA_SETS.record(session, taken, found, before="draft", reason=None, at=now)
    await queries.note_rated(session, caller.tenant_id, at=now)
    await _announce(session, events.PUBLISHED, found, "draft", "published", taken.as_role)
    await rate_again(session, caller.tenant_id)
    return CriteriaSetOut.of(found, caller)


async def _retire_before(session: Session, following: CriteriaSet, as_role: str | None, *, at: datetime) -> None:
    """Retire the set that `following` takes the place of, if there is one."""
    last = await queries.published_set(session, following.trust_id, following.phase)
    if last is not None:
        last.state, last.retired_at, last.version = "retired", at, last.version + 1
        await session.flush()
        retired = Taken(CRITERIA_SETS.by_itself("retire").transition, as_role)
        await CRITERIA_SETS.record(session, retired, last, before="published", reason=None, at=at)
        await _announce(session, events.RETIRED, last, "published", "retired", as_role)


async def _announce(
    session: Session, kind: EventType, which: CriteriaSet, before: str, after: str, as_role: str | None
) -> None:
    fields = {"criteria_set_id": which.id, "version": which.number, "phase": which.phase, "title": which.title}
    who = {"by": context_of_session(session).subject, "as_role": as_role}
    data = events.CriteriaSetChanged.model_validate({**fields, "before": before, "after": after, **who})
    await record_event(session, kind, subject=f"criteria-sets/{which.id}", urn=None, data=data)
