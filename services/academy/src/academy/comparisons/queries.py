"""All SQL of series. Published figures belong to no trust; a trust's own are those that row-level security leaves.

Statements over the figures of all schools are a hot path (ADR 0070): a chart must not cost more than a list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select, text
from sqlmodel import col

from academy.academies.tables import School
from academy.comparisons.rules import Spread
from academy.observations.queries import best_first, release_rank
from academy.observations.rules import BEST_RELEASES_FIRST
from academy.trusts.queries import belongs_on
from academy.trusts.tables import Membership
from kit.database.sessions import Session


class About(NamedTuple):
    """Which figures: their measure, pupils, part of the year, and years (none for all)."""

    measure: str
    pupil_group: str
    period: str
    years: tuple[str, ...]


class AreaFigure(NamedTuple):
    """A figure of an area."""

    area: str
    area_code: str
    academic_year: str
    sector: str
    phase: str
    value: float | None
    reason: str | None
    release: str
    source: str


class SchoolFigure(NamedTuple):
    """A figure of an academy."""

    urn: int
    academic_year: str
    value: Decimal | None
    reason: str | None
    cohort: int | None
    release: str
    source: str


_ABOUT: Final = """
    o.measure = :measure and o.pupil_group = :pupil_group and o.period = :period and o.superseded_at is null
    and (cardinality(cast(:years as text[])) = 0 or o.academic_year = any(cast(:years as text[])))
"""

_AREAS = text(
    f"""
    select distinct on (o.area, o.area_code, o.academic_year, o.sector, o.phase)
        o.area, o.area_code, o.academic_year, o.sector, o.phase, o.value::float8 as value, o.reason, o.release, o.source
    from academy.comparison_figure o
    where {_ABOUT} and (o.area || ':' || o.area_code) = any(cast(:areas as text[]))
      and o.phase = any(cast(:phases as text[]))
    order by o.area, o.area_code, o.academic_year, o.sector, o.phase, {best_first("o")}
    """  # noqa: S608 - constants
)

_FIGURES: Final = """
    select distinct on (o.urn, o.academic_year)
        o.urn, o.academic_year, o.value, o.reason, o.cohort, o.release, o.source
    from {table} o
    where {about} {of_trust} and o.urn = any(cast(:urns as int[]))
    order by o.urn, o.academic_year, {best_first}
"""
_NATIONAL = text(
    _FIGURES.format(table="academy.reference_observation", about=_ABOUT, of_trust="", best_first=best_first("o"))
)
_OWN = text(
    _FIGURES.format(
        table="academy.observation", about=_ABOUT, of_trust="and o.trust_id = :trust_id", best_first=best_first("o")
    )
)

# Of several releases of a figure the best counts, also when it has no value. Nearly all are final: only the others are
# looked up. Independent schools (types 10 and 11 of the register) aren't among those that academies are placed among.
_SPREADS = text(
    f"""
    select s.phase, o.academic_year, o.value, count(*) as schools
    from academy.reference_observation o join academy.school s on s.urn = o.urn
    where {_ABOUT} and o.value is not null
      and s.phase = any(cast(:phases as text[])) and coalesce(s.type_code, '') not in ('10', '11')
      and (o.release = '{BEST_RELEASES_FIRST[0]}' or not exists (
          select from academy.reference_observation b
          where b.urn = o.urn and b.measure = o.measure and b.academic_year = o.academic_year
            and b.pupil_group = o.pupil_group and b.period = o.period and b.superseded_at is null
            and {release_rank("b")} < {release_rank("o")}))
    group by s.phase, o.academic_year, o.value
    """  # noqa: S608 - constants
)


async def area_figures(
    session: Session, about: About, areas: Collection[tuple[str, str]], phases: Sequence[str]
) -> list[AreaFigure]:
    """Figures of these areas (kind and code) for schools of these phases, the best release of each."""
    named = [f"{area}:{code}" for area, code in areas]
    rows = await session.execute(_AREAS, {**_parameters(about), "areas": named, "phases": list(phases)})
    return [AreaFigure(*row) for row in rows]


async def school_figures(
    session: Session, about: About, urns: Sequence[int], *, trust_id: UUID | None
) -> list[SchoolFigure]:
    """Figures of these schools by URN and year: published ones, or with `trust_id` the trust's own."""
    if trust_id is None:
        rows = await session.execute(_NATIONAL, {**_parameters(about), "urns": list(urns)})
    else:
        rows = await session.execute(_OWN, {**_parameters(about), "urns": list(urns), "trust_id": trust_id})
    return [SchoolFigure(*row) for row in rows]


async def spreads(session: Session, about: About, phases: Sequence[str]) -> dict[tuple[str, str], Spread]:
    """How the published figures of all schools are spread, by phase and academic year."""
    counted: dict[tuple[str, str], list[tuple[Decimal, int]]] = {}
    for row in await session.execute(_SPREADS, {**_parameters(about), "phases": list(phases)}):
        counted.setdefault((row.phase, row.academic_year), []).append((row.value, row.schools))
    return {key: Spread.of(values) for key, values in counted.items()}


def _parameters(about: About) -> dict[str, object]:
    return {**about._asdict(), "years": list(about.years)}


async def schools_by_urn(session: Session, urns: Sequence[int]) -> dict[int, School]:
    """These schools of the register, as far as it has them."""
    found = (await session.execute(select(School).where(col(School.urn).in_(urns)))).scalars()
    return {school.urn: school for school in found}


async def trust_of(session: Session, urn: int, today: date) -> UUID | None:
    """The trust that a school belongs to today."""
    statement = select(col(Membership.register_id)).where(col(Membership.urn) == urn, belongs_on(today)).limit(1)
    return (await session.execute(statement)).scalar_one_or_none()


async def authority_name(session: Session, code: str) -> str | None:
    """The name of an authority, as a school of it has it."""
    statement = (
        select(col(School.la_name)).where(col(School.la_code) == code, col(School.la_name).is_not(None)).limit(1)
    )
    return (await session.execute(statement)).scalar_one_or_none()
