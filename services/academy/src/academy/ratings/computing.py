"""From evidence to whole ratings: each academy of a trust, with every criterion explained, as it will be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from academy.criteria.documents import PlacedStep, placed
from academy.criteria.rules import Criterion, Rules, Status, Step, bounds_of, phases_of_set
from academy.criteria.tables import CriteriaSet
from academy.measures.rules import MEASURES, pupils_in_a_sentence
from academy.ratings.evidence import Gathered, Member
from academy.ratings.rules import Outcome, Result, assess, counts, overall, without_criteria
from academy.ratings.sentences import Wording, no_criteria_sentence, overall_sentence, sentence

NOT_ASSESSED_LABEL = "Not assessed"


@dataclass(frozen=True, slots=True)
class Applied:
    """A criteria set, ready to rate with."""

    id: UUID
    phase: str
    title: str
    number: int
    rules: Rules

    @classmethod
    def of(cls, found: CriteriaSet) -> Applied:
        """A stored set, with its rules as values."""
        return cls(found.id, found.phase, found.title, found.number, found.rules.values())


@dataclass(frozen=True, slots=True)
class Computed:
    """What a rating of one academy says, before anybody asks whether it says something new."""

    urn: int
    phase: str
    criteria_set: Applied
    outcome: Outcome
    why: str
    counts: dict[str, int]
    criteria: list[dict[str, Any]]
    data_as_at: datetime | None

    @property
    def status(self) -> str:
        """The canonical word."""
        return self.outcome.status.value

    @property
    def step(self) -> PlacedStep | None:
        """The step of the trust's scale as it is kept; None when not assessed."""
        return _step(self.outcome.step, self.criteria_set.rules.scale)

    def content_sha256(self) -> bytes:
        """What two ratings have in common when they say the same."""
        outcome = self.outcome
        said = [
            str(self.criteria_set.id),
            self.phase,
            self.status,
            self.step,
            number(outcome.points_percent),
            number(outcome.assessed_percent),
            outcome.limited_by,
            self.why,
            self.criteria,
        ]
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def set_for(phase: str | None, sets: Mapping[str, Applied]) -> Applied | None:
    """The published set that rates an academy of this phase; None when there is none."""
    return next((sets[one] for one in phases_of_set(phase) if one in sets), None)


def number(value: Decimal | None) -> float | None:
    """A decimal as the JSON number that reads the same."""
    return None if value is None else float(value)


def compute(members: Sequence[Member], sets: Mapping[str, Applied], gathered: Gathered) -> Iterator[Computed]:
    """The ratings of all members whose phase has a set, by the order of the members; each is computed when its turn
    comes.
    """
    return (
        _rate(member, applied, gathered) for member in members if (applied := set_for(member.phase, sets)) is not None
    )


def _rate(member: Member, applied: Applied, gathered: Gathered) -> Computed:
    phase = member.phase or applied.phase
    phases = (phase,) if phase == applied.phase else (phase, applied.phase)
    scale = applied.rules.scale
    results = [
        assess(criterion, scale, gathered.of(member.urn, criterion, phases)) for criterion in applied.rules.criteria
    ]
    used = [
        figure.recorded_at
        for result in results
        for figure in (result.figure, result.comparator)
        if figure is not None and figure.recorded_at is not None
    ]
    outcome = overall(applied.rules, results)
    return Computed(
        urn=member.urn,
        phase=phase,
        criteria_set=applied,
        outcome=outcome,
        why=overall_sentence(applied.rules, results, outcome),
        counts=counts(results),
        criteria=[explained(result, scale) for result in results],
        data_as_at=max(used, default=None),
    )


def compute_without_criteria(member: Member, applied: Applied, phase: str) -> Computed:
    """What takes the place of a rating by `applied` when no set rates the academy any longer.

    It keeps the set and the criteria of that rating, none of them with a colour. Where the register states no phase,
    `phase` is the one that the academy was rated as.
    """
    outcome, results = without_criteria(applied.rules)
    return Computed(
        urn=member.urn,
        phase=member.phase or phase,
        criteria_set=applied,
        outcome=outcome,
        why=no_criteria_sentence(member.phase),
        counts=counts(results),
        criteria=[explained(result, applied.rules.scale) for result in results],
        data_as_at=None,
    )


def wording_of(criterion: Criterion) -> Wording:
    """How the criterion's measure is spoken of."""
    measure = MEASURES.get(criterion.measure)
    if measure is None:
        return Wording(criterion.title, "", 1)
    return Wording(
        measure.spoken(pupils_in_a_sentence(criterion.pupil_group)),
        measure.unit.value,
        measure.decimals,
        is_progress=measure.minimum < 0,
        names_unit=measure.names_unit,
    )


def explained(result: Result, scale: tuple[Step, ...]) -> dict[str, Any]:
    """One criterion's result as it is kept and shown."""
    criterion, figure, comparator = result.criterion, result.figure, result.comparator
    measure = MEASURES.get(criterion.measure)
    bounds = bounds_of(criterion.cuts, scale)
    place = result.deciding_place(scale)
    interval = None
    if figure is not None and figure.lower is not None and figure.upper is not None:
        interval = {"lower": number(figure.lower), "upper": number(figure.upper)}
    return {
        "code": criterion.code,
        "title": criterion.title,
        "measure": criterion.measure,
        "layer": criterion.layer,
        "pupil_group": criterion.pupil_group,
        "period": _period(result.academic_year, criterion.term),
        "value": number(figure.value) if figure else None,
        "reason": result.reason,
        "unit": measure.unit.value if measure else "",
        "cohort": figure.cohort if figure else None,
        "interval": interval,
        "release": figure.release if figure else None,
        "comparison": {
            "kind": criterion.comparison.value,
            "value": number(comparator.value) if comparator else None,
            "period": _period(comparator.academic_year, criterion.term) if comparator else None,
        },
        "bounds": {word: number(bounds.get(word)) for word in (Status.GREEN.value, Status.AMBER.value)},
        "direction": criterion.direction.value,
        "weight": criterion.weight,
        "is_limiting": criterion.is_limiting,
        "status": result.status.value,
        "step": _step(result.step, scale),
        "decided_by": result.decided_by,
        "deciding_bound": None if place is None else number(criterion.cuts[place]),
        "sentence": sentence(result, wording_of(criterion), scale),
        "observation_id": figure.observation_id if figure else None,
        "source": figure.source if figure else None,
    }


def _step(step: Step | None, scale: Sequence[Step]) -> PlacedStep | None:
    return None if step is None else placed(step, scale)


def _period(academic_year: str | None, term: str) -> str | None:
    """`2023/24`, or `2023/24 autumn` for a part of it."""
    if academic_year is None:
        return None
    return academic_year if term == "year" else f"{academic_year} {term}"
