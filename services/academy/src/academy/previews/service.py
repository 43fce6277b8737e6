"""Asking what a criteria set would say, without letting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from academy.criteria.queries import published_sets
from academy.criteria.service import check_sound, find_set
from academy.parameters import today
from academy.ratings.computing import NOT_ASSESSED_LABEL, Applied, Computed, set_for
from academy.ratings.evidence import members
from academy.ratings.queries import told_in_full
from academy.ratings.service import compute_for
from kit.database.sessions import Session
from kit.identity.callers import Caller


async def preview(session: Session, caller: Caller, set_id: UUID) -> dict[str, Any]:
    """What would be told if the set were published now, of the academies that the caller may see.

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
    told = await told_in_full(session, caller)
    changing = [
        one for one in computed if one.urn not in told or _stands(told[one.urn]) != (one.status, _code(one.step))
    ]
    items = [_changed(one, names[one.urn], told.get(one.urn)) for one in changing]
    return {
        "academies": len(computed),
        "unchanged": len(computed) - len(items),
        "items": sorted(items, key=lambda item: (item["name"], item["urn"])),
    }


def _stands(told: Mapping[str, Any]) -> tuple[str, str | None]:
    """Where an academy stands: two steps of a scale may have the same status."""
    return told["status"], _code(told["step"])


def _code(step: Mapping[str, Any] | None) -> str | None:
    return None if step is None else step["code"]


def _changed(one: Computed, name: str, told: Mapping[str, Any] | None) -> dict[str, Any]:
    step = one.step
    label = step["label"] if step else NOT_ASSESSED_LABEL
    after = {"status": one.status, "label": label, "step": step, "why": one.outcome.why}
    before = None
    if told is not None:
        before = {
            "status": told["status"],
            "label": told["label"],
            "step": told["step"],
            "why": told["overall"]["why"],
        }
    return {
        "urn": one.urn,
        "name": name,
        "phase": one.phase,
        "rating_id": told["id"] if told else None,
        "before": before,
        "after": after,
        "criteria": _side_by_side(told["criteria"] if told else [], one.criteria),
    }


def _side_by_side(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every criterion of both sets by its code, those of the new one first."""
    old = {criterion["code"]: criterion for criterion in before}
    new = {criterion["code"]: criterion for criterion in after}
    return [
        {
            "code": code,
            "title": (new.get(code) or old[code])["title"],
            "before": _result(old.get(code)),
            "after": _result(new.get(code)),
        }
        for code in [*new, *(code for code in old if code not in new)]
    ]


def _result(criterion: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if criterion is None else {name: criterion[name] for name in ("status", "step", "sentence")}
