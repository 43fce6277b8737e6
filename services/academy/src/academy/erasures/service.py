"""Erasing a figure of a trust's own, and finding what was erased."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from academy.erasures import queries
from academy.erasures.errors import ErasureNotFound, NothingToErase, ObservationNotFound
from academy.erasures.events import ERASED, ObservationErased
from academy.erasures.schemas import (
    ObservationErasureCreate,
    ObservationErasureListParams,
    ObservationErasureOut,
    ObservationErasurePage,
)
from academy.erasures.tables import ObservationErasure
from academy.imports.applying.turns import take_turn_soon
from academy.observations.tables import Observation
from academy.rag_statuses.projection import raise_version
from academy.rate_again import rate_again
from academy.ratings.queries import one_at_a_time
from academy.recording import begin_recording
from kit.database.sessions import Session
from kit.events.recording import record_event
from kit.identity.callers import Caller
from kit.ids import uuid7
from kit.resources.paging import Listing, paginate
from kit.resources.rows import add, find
from kit.resources.transitions import RoleMayNot, acting_role

NEWEST = Listing("observation-erasures", ObservationErasure, "-erased_at", "-id")
ERASERS: Final = ("data-manager",)
SENTENCE: Final = "The figure was erased by the trust."


async def erase(session: Session, caller: Caller, body: ObservationErasureCreate) -> ObservationErasureOut:
    """Erase a figure's value everywhere, in one transaction, and have the trust rated again.

    Raises RoleMayNot, ImportInProgress, ObservationNotFound and NothingToErase.
    """
    role = acting_role(caller, ERASERS)
    if role is None:
        raise RoleMayNot("Only a data manager of the trust erases figures.")
    # An import that was sent before may hold the value, and would write another version of the figure.
    await take_turn_soon(session, caller.tenant_id)
    # A rating that is being made rests on figures that it has read already: its end is waited for.
    await one_at_a_time(session, caller.tenant_id)
    figure = await find(session, caller, Observation, body.observation_id, lock=True)
    if figure is None:
        raise ObservationNotFound("Your trust has no figure of its own with this id.")
    if figure.value is None:
        raise NothingToErase(f"This figure has no value; the reason is {figure.reason}.")
    at = await begin_recording(session)
    ids = await queries.erase_versions(session, figure, at)
    ratings, events = await queries.erase_from_ratings(session, figure, ids, SENTENCE)
    names = ("urn", "measure", "pupil_group", "academic_year", "period")
    which = {name: getattr(figure, name) for name in names}
    erasure = ObservationErasure(
        trust_id=caller.tenant_id,
        id=uuid7(),
        observation_id=figure.id,
        **which,
        reason=body.reason,
        erased_at=at,
        erased_by=caller.subject,
        erased_as=role,
        figures=len(ids),
        ratings=len(ratings),
        events=events,
        files=await queries.delete_files(session, caller.tenant_id),
    )
    await add(session, erasure)
    data = ObservationErased(
        erasure_id=erasure.id, observation_ids=ids, rating_ids=ratings, **which, by=caller.subject, as_role=role
    )
    await record_event(session, ERASED, subject=f"observation-erasures/{erasure.id}", urn=figure.urn, data=data)
    await raise_version(session, caller.tenant_id)
    await rate_again(session, caller.tenant_id)
    return ObservationErasureOut.of(erasure)


async def list_erasures(
    session: Session, caller: Caller, params: ObservationErasureListParams
) -> ObservationErasurePage:
    """A page of erasures, newest first. Raises InvalidCursor."""
    found = await paginate(session, caller, NEWEST, queries.erasures(caller, params), params)
    return ObservationErasurePage.of(found, ObservationErasureOut.of)


async def view_erasure(session: Session, caller: Caller, erasure_id: UUID) -> ObservationErasureOut:
    """One erasure. Raises ErasureNotFound."""
    found = await find(session, caller, ObservationErasure, erasure_id)
    if found is None:
        raise ErasureNotFound(f"There is no erasure {erasure_id} that you may see.")
    return ObservationErasureOut.of(found)
