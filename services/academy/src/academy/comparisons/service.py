"""Putting series together: areas, an academy, and the others of its trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from academy.academies.errors import AcademyNotFound
from academy.academies.queries import member_urns
from academy.academies.tables import School
from academy.codes import Code
from academy.comparisons import queries
from academy.comparisons.errors import AreaUnknown
from academy.comparisons.queries import About, AreaFigure, SchoolFigure
from academy.comparisons.rules import Spread
from academy.comparisons.schemas import (
    Area,
    ComparisonListParams,
    ComparisonPointOut,
    ComparisonSeriesOut,
    ComparisonSeriesPage,
    SeriesKind,
)
from academy.measures.rules import MEASURES
from academy.observations.rules import Layer
from academy.parameters import today
from kit import clock
from kit.database.sessions import Session
from kit.field_codes import KitCode
from kit.identity.callers import Caller
from kit.resources.paging import page_of
from sector.regions import REGIONS, region_code

ENGLAND = "E92000001"
_STORED = {Area.ENGLAND: "england", Area.REGION: "region", Area.AUTHORITY: "la"}
_ANY_PHASE = "all"


@dataclass(frozen=True, slots=True)
class _Place:
    """An area: its kind, code and name."""

    area: Area
    code: str
    name: str | None


async def list_series(session: Session, caller: Caller, params: ComparisonListParams) -> ComparisonSeriesPage:
    """The lines of a chart. Raises AcademyNotFound, AreaUnknown and InvalidCursor."""
    academy = await _academy(session, params.urn)
    series = await _of_areas(session, params, academy)
    series += await _of_schools(session, caller, params, await _schools(session, caller, params, academy))
    return ComparisonSeriesPage.of(page_of(caller, "comparisons", series, params), lambda one: one)


def _about(params: ComparisonListParams) -> About:
    return About(params.measure, params.pupil_group, params.period, params.academic_year)


async def _academy(session: Session, urn: int | None) -> School | None:
    if urn is None:
        return None
    found = (await queries.schools_by_urn(session, [urn])).get(urn)
    if found is None:
        raise AcademyNotFound(f"The register has no school with URN {urn}.")
    return found


async def _places(session: Session, params: ComparisonListParams, academy: School | None) -> list[_Place]:
    """The areas that are wanted and known. Raises AreaUnknown for one that is wanted by name and not known."""
    region = params.region or (region_code(academy.region) if academy is not None else None)
    la = params.la or (academy.la_code if academy is not None else None)
    if params.region is not None and params.region not in REGIONS:
        raise AreaUnknown.because("region", Code.UNKNOWN_REGION, f"There is no region {params.region}.")
    codes = {Area.ENGLAND: ENGLAND, Area.REGION: region, Area.AUTHORITY: la}
    for area, parameter in ((Area.REGION, "region"), (Area.AUTHORITY, "la")):
        if area in params.area and codes[area] is None:
            raise AreaUnknown.because(
                parameter, KitCode.MISSING, f"Send `{parameter}`, or the `urn` of an academy in it."
            )
    places = []
    for area in Area:
        code = codes[area]
        if code is not None and (area in params.area or not params.area):
            name = await _name(session, area, code)
            if name is None and code == params.la:
                raise AreaUnknown.because("la", Code.UNKNOWN_AUTHORITY, f"The register has no authority {code}.")
            places.append(_Place(area, code, name))
    return places


async def _name(session: Session, area: Area, code: str) -> str | None:
    match area:
        case Area.ENGLAND:
            return "England"
        case Area.REGION:
            return REGIONS.get(code)
        case Area.AUTHORITY:
            return await queries.authority_name(session, code)


async def _of_areas(
    session: Session, params: ComparisonListParams, academy: School | None
) -> list[ComparisonSeriesOut]:
    """A line for each area that is wanted. Raises AreaUnknown."""
    about, places = _about(params), await _places(session, params, academy)
    phase = params.phase or (academy.phase if academy is not None else None)
    wanted = [(_STORED[place.area], place.code) for place in places]
    found: dict[tuple[str, str], dict[str, AreaFigure]] = {}
    for figure in await queries.area_figures(session, about, wanted, [_ANY_PHASE, *([phase] if phase else [])]):
        years = found.setdefault((figure.area, figure.area_code), {})
        known = years.get(figure.academic_year)
        if known is None or _fit(figure, phase) > _fit(known, phase):
            years[figure.academic_year] = figure
    series = []
    for place in places:
        years = found.get((_STORED[place.area], place.code), {})
        points = [_area_point(years[year]) for year in sorted(years)]
        series.append(_series(about, SeriesKind(place.area), place.code, place.name, points))
    return series


def _fit(figure: AreaFigure, phase: str | None) -> tuple[bool, bool]:
    """As beside figures: of the school's own phase if there is one, of state-funded schools if known."""
    return figure.phase == phase, figure.sector == "state_funded"


async def _schools(
    session: Session, caller: Caller, params: ComparisonListParams, academy: School | None
) -> list[School]:
    """The named academy first, then the others by name."""
    others: list[School] = []
    if params.others:
        trust_id = caller.trust_id if academy is None else await queries.trust_of(session, academy.urn, today())
        urns = [] if trust_id is None else await member_urns(session, trust_id, as_of=clock.now(), day=today())
        others = [*(await queries.schools_by_urn(session, urns)).values()]
    rest = sorted((one for one in others if one.urn != params.urn), key=lambda one: (one.name, one.urn))
    return [*([academy] if academy is not None else []), *rest]


async def _of_schools(
    session: Session, caller: Caller, params: ComparisonListParams, schools: Sequence[School]
) -> list[ComparisonSeriesOut]:
    """A line for each school that has figures, and for the named one in any case."""
    about = _about(params)
    if not schools or (params.layer is Layer.TRUST and caller.trust_id is None):
        return []
    own: UUID | None = caller.tenant_id if params.layer is Layer.TRUST else None
    found: dict[int, list[SchoolFigure]] = {}
    for figure in await queries.school_figures(session, about, [one.urn for one in schools], trust_id=own):
        found.setdefault(figure.urn, []).append(figure)
    spreads: Mapping[tuple[str, str], Spread] = {}
    if own is None and found:
        phases = sorted({one.phase for one in schools if one.phase is not None and one.urn in found})
        spreads = await queries.spreads(session, about, phases)
    return [
        _series(
            about,
            SeriesKind.ACADEMY,
            str(one.urn),
            one.name,
            [_school_point(figure, one.phase, spreads) for figure in found.get(one.urn, ())],
            phase=one.phase,
            layer=params.layer,
        )
        for one in schools
        if one.urn in found or one.urn == params.urn
    ]


def _series(
    about: About,
    kind: SeriesKind,
    code: str,
    name: str | None,
    points: Iterable[ComparisonPointOut],
    *,
    phase: str | None = None,
    layer: Layer = Layer.NATIONAL,
) -> ComparisonSeriesOut:
    measure = MEASURES[about.measure]
    return ComparisonSeriesOut.model_validate(
        {
            "kind": kind,
            "code": code,
            "name": name,
            "phase": phase,
            "layer": layer,
            "measure": about.measure,
            "unit": measure.unit,
            "direction": measure.direction,
            "pupil_group": about.pupil_group,
            "period": about.period,
            "points": list(points),
        }
    )


def _area_point(figure: AreaFigure) -> ComparisonPointOut:
    fields = figure._asdict()
    return ComparisonPointOut.model_validate(
        {name: fields[name] for name in fields if name not in {"area", "area_code"}}
        | {"cohort": None, "percentile": None, "schools": None}
    )


def _school_point(
    figure: SchoolFigure, phase: str | None, spreads: Mapping[tuple[str, str], Spread]
) -> ComparisonPointOut:
    spread = spreads.get((phase or "", figure.academic_year))
    percentile = None if spread is None or figure.value is None else spread.percentile(figure.value)
    fields = figure._asdict()
    return ComparisonPointOut.model_validate(
        {name: fields[name] for name in fields if name != "urn"}
        | {
            "value": None if figure.value is None else float(figure.value),
            "phase": None,
            "sector": None,
            "percentile": percentile,
            "schools": None if spread is None or percentile is None else spread.schools,
        }
    )
