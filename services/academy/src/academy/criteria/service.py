"""Drafting, publishing and finding criteria sets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from academy.criteria import events, queries
from academy.criteria.documents import flaws_of_document, scale_of
from academy.criteria.errors import (
    CriteriaAlreadyPublished,
    CriteriaPublishedMeanwhile,
    CriteriaSetNotFound,
    unsound,
)
from academy.criteria.flaws import Catalogue, Known
from academy.criteria.rules import Direction
from academy.criteria.schemas import CriteriaSetChanged, CriteriaSetCreate, CriteriaSetListParams, CriteriaSetPatch
from academy.criteria.tables import ONE_PUBLISHED, CriteriaSet
from academy.measures.rules import MEASURES, PUPIL_GROUPS
from academy.measures.rules import Direction as MeasureDirection
from academy.rate_again import rate_again
from kit import clock
from kit.database.sessions import Session
from kit.events.recording import EventType, record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.cursors import decode, encode
from kit.resources.etags import check_if_match, etag

LIST = "criteria-sets"
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


def told(found: CriteriaSet) -> dict[str, Any]:
    """A set as clients read it."""
    scale = [{"code": step.code, "label": step.label, "status": step.status} for step in scale_of(found.rules)]
    return {
        "id": str(found.id),
        "phase": found.phase,
        "title": found.title,
        "version": found.number,
        "state": found.state,
        **found.rules,
        "scale": scale,
        "created_at": found.created_at,
        "published_at": found.published_at,
        "retired_at": found.retired_at,
    }


def tag_of(found: CriteriaSet) -> str:
    """The ETag of a set."""
    return etag(found.version)


def check_sound(rules: dict[str, Any]) -> None:
    """Raises CriteriaSetNotSound or ComparisonNotSupported, with every flaw of a set's rules."""
    flaws = flaws_of_document(rules, CATALOGUE)
    if flaws:
        raise unsound(flaws)


async def list_sets(
    session: Session, caller: Caller, params: CriteriaSetListParams
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of sets and the cursor after it. Raises InvalidCursor."""
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    after = None
    if params.cursor is not None:
        after = decode(LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    found = await queries.criteria_sets(
        session, caller, phases=params.phase, states=params.state, after=after, limit=params.limit + 1
    )
    items, more = found[: params.limit], len(found) > params.limit
    last = [items[-1].phase, items[-1].number] if more else None
    following = encode(LIST, last, tenant=caller.tenant_id, filters=filters) if last else None
    return [told(one) for one in items], following


async def find_set(session: Session, caller: Caller, set_id: UUID, *, for_update: bool = False) -> CriteriaSet:
    """One set of the caller's trust. Raises CriteriaSetNotFound."""
    found = await queries.criteria_set(session, caller, set_id, for_update=for_update)
    if found is None:
        raise CriteriaSetNotFound(f"Your trust has no criteria set {set_id}.")
    return found


async def draft_set(session: Session, caller: Caller, body: CriteriaSetCreate) -> CriteriaSet:
    """Keep a draft. Raises CriteriaSetNotSound or ComparisonNotSupported."""
    rules = body.model_dump(mode="json", include={"scale", "overall", "criteria"})
    check_sound(rules)
    made = CriteriaSet(
        trust_id=caller.tenant_id,
        id=uuid7(),
        phase=body.phase,
        title=body.title,
        number=await queries.next_number(session, caller.tenant_id, body.phase),
        state="draft",
        rules=rules,
        created_at=clock.now(),
        created_by=caller.subject,
        version=1,
    )
    session.add(made)
    await session.flush()
    await _tell(session, events.CREATED, made, before="absent", after="draft")
    return made


async def _find_draft(session: Session, caller: Caller, set_id: UUID, if_match: str) -> CriteriaSet:
    found = await find_set(session, caller, set_id, for_update=True)
    check_if_match(if_match, tag_of(found))
    if found.state != "draft":
        raise CriteriaAlreadyPublished("What rated academies never changes; draft another set.")
    return found


async def change_draft(
    session: Session, caller: Caller, set_id: UUID, patch: CriteriaSetPatch, if_match: str
) -> CriteriaSet:
    """Change a draft. Raises CriteriaSetNotFound, PreconditionFailed, CriteriaAlreadyPublished or its flaws."""
    found = await _find_draft(session, caller, set_id, if_match)
    rules = _patched(found.rules, patch)
    check_sound(rules)
    title = patch.title if "title" in patch.model_fields_set else found.title
    if (rules, title) != (found.rules, found.title):
        found.rules, found.title = rules, title
        found.version += 1
        await session.flush()
        await _tell(session, events.CHANGED, found, before="draft", after="draft")
    return found


def _patched(rules: dict[str, Any], patch: CriteriaSetPatch) -> dict[str, Any]:
    """The rules after a merge patch: members of `overall` one by one, lists as a whole (RFC 7396)."""
    given = patch.model_dump(mode="json", include=patch.model_fields_set - {"title", "overall"})
    overall = {**rules["overall"], **patch.overall.model_dump(mode="json", exclude_unset=True)}
    return {**rules, **given, "overall": overall}


async def delete_draft(session: Session, caller: Caller, set_id: UUID, if_match: str) -> None:
    """Delete a draft. Raises CriteriaSetNotFound, PreconditionFailed or CriteriaAlreadyPublished."""
    found = await _find_draft(session, caller, set_id, if_match)
    await _tell(session, events.DELETED, found, before="draft", after="absent")
    await queries.remove(session, caller.tenant_id, set_id)


async def publish(session: Session, caller: Caller, set_id: UUID, if_match: str) -> CriteriaSet:
    """Let a draft rate the academies of its phase from now on, in place of the set before.

    Raises CriteriaSetNotFound, PreconditionFailed, CriteriaAlreadyPublished or CriteriaPublishedMeanwhile, and the
    flaws of a draft that the catalogue no longer agrees with.
    """
    found = await _find_draft(session, caller, set_id, if_match)
    check_sound(found.rules)
    now = clock.now()
    retired = await queries.retire_published(session, caller.tenant_id, found.phase, at=now)
    found.state, found.published_at, found.published_by = "published", now, caller.subject
    found.version += 1
    try:
        await session.flush()
    except IntegrityError as error:
        if ONE_PUBLISHED not in str(error.orig):
            raise
        raise CriteriaPublishedMeanwhile("Read the sets again; another was published at the same moment.") from None
    await queries.note_rated(session, caller.tenant_id, at=now)
    if retired is not None:
        await _tell(session, events.RETIRED, retired, before="published", after="retired")
    await _tell(session, events.PUBLISHED, found, before="draft", after="published")
    await rate_again(session, caller.tenant_id)
    return found


async def _tell(session: Session, kind: EventType, which: CriteriaSet, *, before: str, after: str) -> None:
    data = CriteriaSetChanged.model_validate(
        {
            "criteria_set_id": which.id,
            "phase": which.phase,
            "title": which.title,
            "version": which.number,
            "before": before,
            "after": after,
        }
    )
    await record_event(session, kind, subject=f"criteria-sets/{which.id}", urn=None, data=data)
