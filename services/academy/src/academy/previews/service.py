"""Asking what a criteria set would say, without letting it."""

from uuid import UUID

from academy.criteria.queries import published_sets
from academy.criteria.service import check_sound, find_set
from academy.parameters import today
from academy.previews.schemas import PreviewAcademyOut, PreviewOut
from academy.ratings.computing import Applied, Computed, set_for
from academy.ratings.evidence import members
from academy.ratings.queries import ratings_shown
from academy.ratings.schemas import RatingOut
from academy.ratings.service import compute_for
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.steps import in_steps


async def preview(session: Session, caller: Caller, set_id: UUID) -> PreviewOut:
    """What a board would show if the set were published now, of the academies that the caller may see.

    Raises CriteriaSetNotFound, and the flaws of a set that the catalogue no longer agrees with.
    """
    found = await find_set(session, caller, set_id)
    check_sound(found.rules)
    proposed = Applied.of(found)
    sets = {one.phase: Applied.of(one) for one in await published_sets(session, caller.tenant_id)}
    sets[found.phase] = proposed
    concerned = [
        member
        for member in await members(session, caller.tenant_id, today())
        if caller.sees_academy(member.urn) and set_for(member.phase, sets) is proposed
    ]
    names = {member.urn: member.name for member in concerned}
    computed = await compute_for(session, caller.tenant_id, concerned, sets)
    shown = await ratings_shown(session, caller)
    items = await in_steps(
        PreviewAcademyOut.of(names[one.urn], shown.get(one.urn), one)
        for one in computed
        if _differs(shown.get(one.urn), one)
    )
    return PreviewOut(
        academies=len(computed),
        unchanged=len(computed) - len(items),
        items=sorted(items, key=lambda item: (item.name, item.urn)),
    )


def _differs(before: RatingOut | None, after: Computed) -> bool:
    """Does an academy stand elsewhere? Two steps of a scale may have the same status."""
    if before is None:
        return True
    codes = before.step.code if before.step else None, after.step["code"] if after.step else None
    return before.status != after.status or codes[0] != codes[1]
