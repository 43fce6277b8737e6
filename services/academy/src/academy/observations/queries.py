"""All SQL about figures.

National figures and comparison figures belong to no trust; of a trust's own, every statement names the trust beside
row-level security.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from academy.measures.rules import MEASURES
from academy.observations.news import News
from academy.observations.rules import BEST_RELEASES_FIRST
from kit.database.sessions import Session

KEY = ("urn", "measure", "academic_year", "pupil_group", "period")
"""What makes a figure the same figure within its layer."""

_KEY = ", ".join(f"o.{column}" for column in KEY)
_AFTER = "cast(:after_urn as int), :after_measure, :after_academic_year, :after_pupil_group, :after_period"


NATIONAL_TABLE = "academy.reference_observation"
TRUST_TABLE = "academy.observation"

_FIGURE = """
    o.id, o.urn, o.measure, o.pupil_group, o.academic_year, o.period, o.value::float8 as value, o.reason,
    o.lower::float8 as lower, o.upper::float8 as upper, o.cohort, o.published_band, o.release, o.source,
    o.import_id, o.recorded_at, {superseded_at} as superseded_at, {is_removed} as is_removed
"""

NATIONAL = 0
TRUST = 1

_COMPARED_ANEW = """exists (
    select from academy.comparison_figure c
    where c.measure = o.measure and c.academic_year = o.academic_year
      and c.pupil_group = o.pupil_group and c.period = o.period
      and (c.area = 'england' or (c.area = 'la' and c.area_code = (
          select s.la_code from academy.school s where s.urn = o.urn)))
      and (c.recorded_at >= :since or c.superseded_at >= :since))"""


class FigureRow(NamedTuple):
    """A figure as a list reads it; `layer` is NATIONAL or TRUST."""

    id: UUID
    urn: int
    measure: str
    pupil_group: str
    academic_year: str
    period: str
    value: float | None
    reason: str | None
    lower: float | None
    upper: float | None
    cohort: int | None
    published_band: str | None
    release: str
    source: str
    import_id: UUID
    recorded_at: datetime
    superseded_at: datetime | None
    is_removed: bool
    layer: int


class ComparisonRow(NamedTuple):
    """A figure of England or of a local authority."""

    measure: str
    academic_year: str
    pupil_group: str
    period: str
    area: str
    area_code: str
    sector: str
    phase: str
    value: float | None
    reason: str | None
    release: str
    source: str


@dataclass(frozen=True, slots=True)
class ObservationFilter:
    """Which figures a list has. `urns` None is every school; `trust_id` None leaves a trust's own figures out.

    `updated_since` comes with `news`, or with `as_of`.
    """

    trust_id: UUID | None
    is_national: bool = True
    urns: Sequence[int] | None = None
    measures: Sequence[str] = ()
    academic_years: Sequence[str] = ()
    pupil_groups: Sequence[str] = ()
    periods: Sequence[str] = ()
    history: bool = False
    as_of: datetime | None = None
    updated_since: datetime | None = None
    news: News | None = None


async def observation_list(
    session: Session, wanted: ObservationFilter, *, after: Sequence[Any] | None, limit: int
) -> list[FigureRow]:
    """Figures by key, national before the trust's own.

    `after` holds the key, layer, `recorded_at` and id of the last one of the page before.
    """
    parameters: dict[str, Any] = {"limit": limit}
    layers = _layers(wanted, after, parameters)
    if not layers:
        return []
    order = f"{', '.join(KEY)}, layer, recorded_at, id"
    statement = f"select * from ({' union all '.join(layers)}) as figures order by {order} limit :limit"  # noqa: S608
    return [FigureRow(*row) for row in await session.execute(text(statement), parameters)]


async def observation_count(session: Session, wanted: ObservationFilter, *, most: int) -> int:
    """How many figures the list has, whatever the page; counting stops at `most`."""
    parameters: dict[str, Any] = {"limit": most}
    layers = _layers(wanted, None, parameters)
    if not layers:
        return 0
    statement = (
        f"select count(*) from (select 1 from ({' union all '.join(layers)}) as figures limit :limit) as counted"  # noqa: S608
    )
    return int((await session.execute(text(statement), parameters)).scalar_one())


def _layers(wanted: ObservationFilter, after: Sequence[Any] | None, parameters: dict[str, Any]) -> list[str]:
    """The selects of the layers that are wanted."""
    layers = []
    if wanted.is_national:
        layers.append(_layer(wanted, NATIONAL, NATIONAL_TABLE, after, parameters))
    if wanted.trust_id is not None:
        parameters["trust"] = wanted.trust_id
        layers.append(_layer(wanted, TRUST, TRUST_TABLE, after, parameters))
    return layers


def _layer(
    wanted: ObservationFilter, layer: int, table: str, after: Sequence[Any] | None, parameters: dict[str, Any]
) -> str:
    """The select of one layer: its first `limit` figures after `after`."""
    conditions = ["o.trust_id = :trust"] if layer == TRUST else []
    conditions += _filters(wanted, table, parameters)
    if after is not None:
        if wanted.urns is not None:
            # Schools of earlier pages needn't be looked at again.
            parameters["urns"] = [urn for urn in wanted.urns if urn >= after[0]]
        conditions.append(_beyond(layer, after, is_history=wanted.history))
        names = (*KEY, "layer", "recorded_at", "id")
        values = dict(zip(names, after, strict=True))
        values["recorded_at"] = datetime.fromisoformat(values["recorded_at"])
        parameters |= {f"after_{name}": value for name, value in values.items() if name != "layer"}
        if not wanted.history:
            del parameters["after_recorded_at"], parameters["after_id"]
    superseded_at = "o.superseded_at"
    if wanted.as_of is not None:
        # What was superseded later still stood then.
        superseded_at = "case when o.superseded_at <= :as_of then o.superseded_at end"
    is_removed = "false" if wanted.news is None else "o.urn = any(:left)"
    if wanted.news is not None and not wanted.history:
        is_removed = "(o.superseded_at is not null or o.urn = any(:left))"
    columns = f"{_FIGURE.format(superseded_at=superseded_at, is_removed=is_removed)}, {layer} as layer"
    where = " and ".join(conditions) or "true"
    if wanted.history:
        return f"(select {columns} from {table} o where {where} order by {_KEY}, o.recorded_at, o.id limit :limit)"  # noqa: S608
    if wanted.news is not None:
        return _changed(wanted.news, layer, table, columns, where)
    distinct = f"select distinct on ({_KEY}) {columns} from {table} o where {where}"  # noqa: S608
    return f"({distinct} order by {_KEY}, {best_first('o')} limit :limit)"


def _filters(wanted: ObservationFilter, table: str, parameters: dict[str, Any]) -> list[str]:
    conditions = []
    for column, values in (
        ("urn", wanted.urns),
        ("measure", wanted.measures or None),
        ("academic_year", wanted.academic_years or None),
        ("pupil_group", wanted.pupil_groups or None),
        ("period", wanted.periods or None),
    ):
        if values is not None:
            conditions.append(f"o.{column} = any(:{column}s)")
            parameters[f"{column}s"] = list(values)
    if wanted.as_of is not None:
        parameters["as_of"] = wanted.as_of
    if wanted.news is not None:
        return [*conditions, *_since(wanted.news, table, parameters, is_history=wanted.history)]
    if not wanted.history:
        conditions.append(_stands(wanted, "o"))
    elif wanted.as_of is not None:
        conditions.append("o.recorded_at <= :as_of")
    if wanted.updated_since is not None:
        parameters["since"] = wanted.updated_since
        told = "o.recorded_at >= :since"
        conditions += [f"({told} or o.superseded_at >= :since)"] if wanted.history else [told, _is_best(wanted, table)]
    return conditions


def _since(news: News, table: str, parameters: dict[str, Any], *, is_history: bool) -> list[str]:
    parameters |= {"since": news.since, "left": list(news.left), "whole": list(news.whole)}
    if is_history:
        erased = " or o.erased_at >= :since" if table == TRUST_TABLE else ""
        return [f"(o.recorded_at >= :since or o.superseded_at >= :since{erased} or {_other_news(news)})"]
    return ["(o.superseded_at is null or o.superseded_at >= :since)"]


def _other_news(news: News) -> str:
    return f"o.urn = any(:whole) or {_COMPARED_ANEW}" if news.has_comparisons else "o.urn = any(:whole)"


def _changed(news: News, layer: int, table: str, columns: str, where: str) -> str:
    """The select of the figures that changed: as they are now, or as they last were before they went."""
    whose = "n.trust_id = :trust and " if layer == TRUST else ""
    same = " and ".join(f"n.{column} = o.{column}" for column in KEY)
    source = f"{table} o"
    if news.is_few:
        keys = f"select {', '.join(KEY)} from {table} n where {whose}"  # noqa: S608 - constants of this module
        some = ("n.recorded_at >= :since", "n.superseded_at >= :since", "n.urn = any(:whole)")
        source = f"({' union '.join(keys + one for one in some)}) n join {table} o on {same}"
    best = (
        f"select distinct on ({_KEY}) o.* from {source} where {where}"  # noqa: S608 - constants of this module
        f" order by {_KEY}, o.superseded_at is not null, {best_first('o')}"
    )
    replaced = f"exists (select from {table} n where {whose}{same} and n.superseded_at >= :since)"
    return (
        f"(select {columns} from ({best}) o"  # noqa: S608 - constants of this module
        f" where o.recorded_at >= :since or {_other_news(news)} or {replaced} order by {_KEY} limit :limit)"
    )


def best_first(figure: str) -> str:
    """Orders releases of one figure, the current one first; `figure` is the alias of the table."""
    return f"{release_rank(figure)}, {figure}.recorded_at desc"


def release_rank(figure: str) -> str:
    """SQL of a number for the release of a figure: 0 for the best."""
    ranks = " ".join(f"when '{release}' then {rank}" for rank, release in enumerate(BEST_RELEASES_FIRST))
    return f"case {figure}.release {ranks} end"


def _stands(wanted: ObservationFilter, figure: str) -> str:
    """Of its release, nothing has taken the figure's place."""
    if wanted.as_of is None:
        return f"{figure}.superseded_at is null"
    told_by_then = f"{figure}.recorded_at <= :as_of"
    return f"{told_by_then} and ({figure}.superseded_at is null or {figure}.superseded_at > :as_of)"


def _is_best(wanted: ObservationFilter, table: str) -> str:
    """No better release stands: what was recorded since may be less settled than what was known before."""
    same = " and ".join(f"better.{column} = o.{column}" for column in KEY)
    if table == TRUST_TABLE:
        same = f"better.trust_id = o.trust_id and {same}"
    return (
        f"not exists (select from {table} better where {same} and {_stands(wanted, 'better')}"
        f" and {release_rank('better')} < {release_rank('o')})"
    )


def _beyond(layer: int, after: Sequence[Any], *, is_history: bool) -> str:
    """Only what comes after the last figure of the page before, which was of layer `after[len(KEY)]`."""
    last_layer = int(after[len(KEY)])
    if is_history and layer == last_layer:
        return f"({_KEY}, o.recorded_at, o.id) > ({_AFTER}, :after_recorded_at, cast(:after_id as uuid))"
    return f"({_KEY}) {'>=' if layer > last_layer else '>'} ({_AFTER})"


_COMPARISONS = text(
    f"""
    select distinct on (c.measure, c.academic_year, c.pupil_group, c.period, c.area, c.area_code, c.sector, c.phase)
        c.measure, c.academic_year, c.pupil_group, c.period, c.area, c.area_code, c.sector, c.phase,
        c.value::float8 as value, c.reason, c.release, c.source
    from unnest(cast(:measures as text[]), cast(:years as text[]), cast(:groups as text[]), cast(:periods as text[]))
        as k (measure, academic_year, pupil_group, period)
    join academy.comparison_figure c
        on c.measure = k.measure and c.academic_year = k.academic_year
       and c.pupil_group = k.pupil_group and c.period = k.period
       and (c.area = 'england' or (c.area = 'la' and c.area_code = any(cast(:las as text[]))))
    where case when cast(:as_of as timestamptz) is null then c.superseded_at is null
               else c.recorded_at <= :as_of and (c.superseded_at is null or c.superseded_at > :as_of) end
    order by c.measure, c.academic_year, c.pupil_group, c.period, c.area, c.area_code, c.sector, c.phase,
        {best_first("c")}
    """  # noqa: S608 - constants of this module
)

_PLACES = text("select s.urn, s.la_code, s.phase from academy.school s where s.urn = any(:urns)")


async def comparisons_of(
    session: Session, keys: Sequence[tuple[str, str, str, str]], *, las: Sequence[str], as_of: datetime | None
) -> list[ComparisonRow]:
    """Figures of England and of these LAs for (measure, academic year, pupil group, period), as known at `as_of`."""
    columns = [list(column) for column in zip(*keys, strict=True)] or [[], [], [], []]
    parameters = dict(zip(("measures", "years", "groups", "periods"), columns, strict=True))
    rows = await session.execute(_COMPARISONS, {**parameters, "las": list(las), "as_of": as_of})
    return [ComparisonRow(*row) for row in rows]


async def places_of(session: Session, urns: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
    """LA code and phase of each of these schools that the register knows."""
    rows = await session.execute(_PLACES, {"urns": list(urns)})
    return {row.urn: (row.la_code, row.phase) for row in rows}


# A year counts once somebody has a figure of it, or where the catalogue says that nobody can have one: a row that only
# says why there is none makes no year. One look into an index for each measure, whatever the number of rows.
_COUNTS = "o.superseded_at is null and (o.value is not null or o.academic_year = any(string_to_array(m.gaps, ',')))"
_OF_MEASURES = "unnest(cast(:measures as text[]), cast(:gaps as text[])) as m (measure, gaps)"

_NEWEST = text(
    f"""
    select m.measure, greatest(
        (select max(o.academic_year) from academy.reference_observation o where o.measure = m.measure and {_COUNTS}),
        (select max(o.academic_year) from academy.comparison_figure o where o.measure = m.measure and {_COUNTS})
    ) as academic_year
    from {_OF_MEASURES}
    """  # noqa: S608 - constants of this module
)

_NEWEST_OWN = text(
    f"""
    select m.measure, max(o.academic_year) as academic_year
    from {_OF_MEASURES}
    join academy.observation o on o.trust_id = :trust_id and o.measure = m.measure and {_COUNTS}
    group by m.measure
    """  # noqa: S608 - constants of this module
)


async def newest_years(session: Session, measures: Iterable[str]) -> dict[str, str]:
    """The newest academic year that is loaded nationally, of each of these measures that has one."""
    return _by_measure(await session.execute(_NEWEST, _with_gaps(measures)))


async def newest_own_years(session: Session, trust_id: UUID, measures: Iterable[str]) -> dict[str, str]:
    """The newest academic year among a trust's own figures, of each of these measures that has one."""
    return _by_measure(await session.execute(_NEWEST_OWN, {**_with_gaps(measures), "trust_id": trust_id}))


def _with_gaps(measures: Iterable[str]) -> dict[str, list[str]]:
    wanted = list(measures)
    return {
        "measures": wanted,
        "gaps": [",".join(MEASURES[one].not_published) if one in MEASURES else "" for one in wanted],
    }


def _by_measure(rows: Iterable[Any]) -> dict[str, str]:
    return {row.measure: row.academic_year for row in rows if row.academic_year is not None}
