"""All that ratings of one trust need to know, gathered by a handful of queries however many academies it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from academy.criteria.rules import Criterion
from academy.measures.rules import MEASURES
from academy.observations.queries import best_first, newest_own_years, newest_years
from academy.ratings.rules import Comparator, Evidence, Figure
from kit.database.sessions import Session
from kit.steps import in_steps

# Figures that aren't published by phase count for every phase.
EVERY_PHASE = "all"

FigureKey = tuple[str, int, str, str, str]
NationalKey = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """An academy that belongs to the trust now."""

    urn: int
    name: str
    phase: str | None


@dataclass(slots=True)
class Gathered:
    """Figures by layer, academy, measure, group and term; newest years by measure; England's figures by phase.

    The newest year is that loaded nationally; of a measure that is nowhere but in the trust's own figures, theirs.
    """

    figures: dict[FigureKey, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    newest_years: dict[str, str] = field(default_factory=dict)
    national: dict[NationalKey, dict[str, Comparator]] = field(default_factory=lambda: defaultdict(dict))

    def of(self, urn: int, criterion: Criterion, phases: Sequence[str]) -> Evidence:
        """What one criterion needs to know of one academy.

        `phases` are those whose England figure it is held against, the best first: where one has no figure of a year
        the next is asked, and that of all schools last.
        """
        about = (criterion.measure, criterion.pupil_group, criterion.term)
        national: dict[str, Comparator] = {}
        for phase in (EVERY_PHASE, *reversed(phases)):
            national.update(self.national.get((phase, *about), {}))
        return Evidence(
            figures=self.figures.get((criterion.layer, urn, *about), ()),
            newest_year=self.newest_years.get(criterion.measure),
            national=national,
            unpublished=_unpublished(criterion.measure),
        )


def _unpublished(measure: str) -> Mapping[str, str]:
    return MEASURES[measure].not_published if measure in MEASURES else {}


_MEMBERS = text(
    """
    select distinct on (m.urn) m.urn, coalesce(s.name, m.urn::text) as name, s.phase
    from academy.membership m left join academy.school s on s.urn = m.urn
    where m.register_id = :trust_id and m.superseded_at is null and m.joined_on <= :today
      and (m.left_on is null or m.left_on > :today) and s.status is distinct from 'proposed_to_open'
    order by m.urn
    """
)

_FIGURES = """
    select distinct on (o.urn, o.measure, o.pupil_group, o.period, o.academic_year)
        o.urn, o.measure, o.pupil_group, o.period, o.academic_year, o.id::text as id, o.value, o.reason, o.source,
        o.lower, o.upper, o.cohort, o.release, o.recorded_at
    from {table} o
    where {of_trust} o.urn = any(cast(:urns as int[])) and o.measure = any(cast(:measures as text[]))
      and o.pupil_group = any(cast(:groups as text[])) and o.period = any(cast(:terms as text[]))
      and o.superseded_at is null
    order by o.urn, o.measure, o.pupil_group, o.period, o.academic_year, {best_first}
"""

_BY_LAYER = {
    "national": text(_FIGURES.format(table="academy.reference_observation", of_trust="", best_first=best_first("o"))),
    "trust": text(
        _FIGURES.format(table="academy.observation", of_trust="o.trust_id = :trust_id and", best_first=best_first("o"))
    ),
}

_NATIONAL = text(
    f"""
    select distinct on (c.phase, c.measure, c.pupil_group, c.period, c.academic_year)
        c.phase, c.measure, c.pupil_group, c.period, c.academic_year, c.value, c.reason, c.recorded_at
    from academy.comparison_figure c
    where c.area = 'england' and c.sector = 'state_funded' and c.measure = any(cast(:measures as text[]))
      and c.pupil_group = any(cast(:groups as text[])) and c.period = any(cast(:terms as text[]))
      and c.superseded_at is null
    order by c.phase, c.measure, c.pupil_group, c.period, c.academic_year, {best_first("c")}
    """  # noqa: S608 - constants of this module
)


async def members(session: Session, trust_id: UUID, today: date) -> list[Member]:
    """The academies that belong to the trust today, by URN."""
    rows = await session.execute(_MEMBERS, {"trust_id": trust_id, "today": today})
    return [Member(*row) for row in rows]


_NEXT_MOVE = text(
    """
    select min(d.day) from academy.membership m, unnest(array[m.joined_on, m.left_on]) as d (day)
    where m.register_id = :trust_id and m.superseded_at is null and d.day > :today
    """
)


async def next_move(session: Session, trust_id: UUID, today: date) -> date | None:
    """The next day on which an academy joins or leaves the trust, as the register says already; None when none does."""
    found: date | None = (
        await session.execute(_NEXT_MOVE, {"trust_id": trust_id, "today": today})
    ).scalar_one_or_none()
    return found


async def gather(session: Session, trust_id: UUID, urns: Sequence[int], criteria: Iterable[Criterion]) -> Gathered:
    """The evidence for these academies and criteria."""
    wanted = list(criteria)
    gathered = Gathered()
    if not wanted:
        return gathered
    about: dict[str, Any] = {
        "measures": sorted({criterion.measure for criterion in wanted}),
        "groups": sorted({criterion.pupil_group for criterion in wanted}),
        "terms": sorted({criterion.term for criterion in wanted}),
    }
    for layer in sorted({criterion.layer for criterion in wanted}):
        rows = await session.execute(_BY_LAYER[layer], {**about, "urns": list(urns), **_of_trust(layer, trust_id)})
        for row, figure in await in_steps((row, _figure(row)) for row in rows):
            gathered.figures[layer, row.urn, row.measure, row.pupil_group, row.period].append(figure)
    for row in await session.execute(_NATIONAL, about):
        comparator = Comparator(row.academic_year, row.value, row.reason, row.recorded_at)
        gathered.national[row.phase, row.measure, row.pupil_group, row.period][row.academic_year] = comparator
    gathered.newest_years = await newest_years(session, about["measures"])
    own = {criterion.measure for criterion in wanted if criterion.layer == "trust"} - gathered.newest_years.keys()
    if own:
        gathered.newest_years |= await newest_own_years(session, trust_id, sorted(own))
    return gathered


def _figure(row: Row[Any]) -> Figure:
    return Figure(
        observation_id=row.id,
        academic_year=row.academic_year,
        value=row.value,
        reason=row.reason,
        source=row.source,
        lower=row.lower,
        upper=row.upper,
        cohort=row.cohort,
        release=row.release,
        recorded_at=row.recorded_at,
    )


def _of_trust(layer: str, trust_id: UUID) -> dict[str, Any]:
    return {"trust_id": trust_id} if layer == "trust" else {}
