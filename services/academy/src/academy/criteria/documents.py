"""A criteria set's rules as a document: as clients send it, as it is stored, and as values to decide with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from academy.criteria.flaws import Catalogue, Flaw, flaws_of
from academy.criteria.rules import (
    DEFAULT_SCALE,
    ComparisonKind,
    Criterion,
    Direction,
    Overall,
    OverallMethod,
    Rules,
    Status,
    Step,
    step_meant,
)

Document = Mapping[str, Any]


def _decimal(number: float) -> Decimal:
    """The number that was written: 0.1 is a tenth, whatever a float makes of it."""
    return Decimal(str(number))


def scale_of(document: Document) -> tuple[Step, ...]:
    """The steps of a document's scale, best first; red, amber, green when it names none."""
    steps = document.get("scale")
    if not steps:
        return DEFAULT_SCALE
    return tuple(Step(step["code"], step["label"], Status(step["status"])) for step in steps)


def step_told(step: Step, scale: Sequence[Step]) -> dict[str, Any]:
    """A step with its place on the scale, the best being 1."""
    return {"code": step.code, "label": step.label, "order": scale.index(step) + 1}


def step_on_scale(given: Document, status: str, document: Document) -> Document:
    """A step that somebody gave for a status, as it is told on the scale of this document.

    The scale may be another by now: one that lacks the step has another for the status. One that lacks the status too
    leaves the step as it was given.
    """
    scale = scale_of(document)
    step = step_meant(given["code"], Status(status), scale)
    return given if step is None else step_told(step, scale)


def rules_of(document: Document) -> Rules:
    """The rules that a document says."""
    scale = scale_of(document)
    return Rules(
        criteria=tuple(_criterion(one, scale) for one in document["criteria"]),
        overall=_overall(document["overall"]),
        scale=scale,
    )


def flaws_of_document(document: Document, catalogue: Catalogue) -> list[Flaw]:
    """All that is wrong with a document's rules; empty when they are sound."""
    codes = {step.code for step in scale_of(document)}
    strange = [
        Flaw(
            f"/criteria/{position}/bounds/{code}",
            "unknown-step",
            f"the scale has no step {code}; it has {', '.join(step.code for step in scale_of(document))}",
        )
        for position, criterion in enumerate(document["criteria"])
        for code in criterion["bounds"]
        if code not in codes
    ]
    return flaws_of(rules_of(document), catalogue) + strange


def _criterion(document: Document, scale: tuple[Step, ...]) -> Criterion:
    bounds = document["bounds"]
    return Criterion(
        code=document["code"],
        title=document["title"],
        measure=document["measure"],
        cuts=tuple(_decimal(bounds[step.code]) for step in scale if step.code in bounds),
        direction=Direction(document["direction"]),
        layer=document["layer"],
        pupil_group=document["pupil_group"],
        term=document["period"],
        max_age_years=document["max_age_years"],
        academic_year=document["academic_year"],
        comparison=ComparisonKind(document["comparison"]),
        needs_significance=document["needs_significance"],
        smallest_cohort=document["smallest_cohort"],
        weight=document["weight"],
        is_limiting=document["is_limiting"],
        reason=document["reason"],
    )


def _overall(document: Document) -> Overall:
    return Overall(
        method=OverallMethod(document["method"]),
        point_cuts=tuple(_decimal(cut) for cut in document["point_cuts"]),
        least_assessed_percent=document["least_assessed_percent"],
        limit=Status(document["limit"]),
    )
