"""Listing figures with the figures to compare them with."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from academy.academies.queries import member_urns, moved
from academy.measures.rules import MEASURES
from academy.observations import queries
from academy.observations.errors import InstantInFuture
from academy.observations.news import news
from academy.observations.queries import ComparisonRow, FigureRow
from academy.observations.rules import Layer, progress_band
from academy.observations.schemas import ComparisonArea, ObservationListParams
from academy.recording import synced_to
from academy.trusts.service import trust_of_filter
from kit import clock
from kit.cursors import decode, encode
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.pages import MOST_COUNTED, TotalOut
from kit.resources.paging import PAGING
from sector.days import day_in_london

_LIST = "observations"
_LAYERS = {queries.NATIONAL: Layer.NATIONAL, queries.TRUST: Layer.TRUST}
_ANY_PHASE = "all"


async def list_observations(
    session: Session, caller: Caller, params: ObservationListParams
) -> tuple[bytes, str | None]:
    """A page as JSON, and the cursor after it. Raises InvalidCursor, TrustUnknown and InstantInFuture.

    Rows are written as they are, without a model for each: pages of figures are a hot path (ADR 0070).
    """
    if params.as_of is not None and params.as_of > clock.now():
        raise InstantInFuture.named("as_of")
    filters = params.model_dump(mode="json", exclude=set(PAGING))
    synced, after = await synced_to(session), None
    if params.cursor is not None:
        *after, first_synced = decode(_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
        synced = datetime.fromisoformat(first_synced)
    wanted = await _filter(session, caller, params)
    rows = await queries.observation_list(session, wanted, after=after, limit=params.limit + 1)
    page, following = rows[: params.limit], None
    if len(rows) > params.limit:
        last = page[-1]
        key = [getattr(last, column) for column in queries.KEY]
        values = [*key, last.layer, last.recorded_at, str(last.id), synced.isoformat()]
        following = encode(_LIST, values, tenant=caller.tenant_id, filters=filters)
    items = await _with_comparisons(session, page, as_of=params.as_of)
    total = None
    if params.count:
        is_whole = after is None and following is None
        counted = len(rows) if is_whole else await queries.observation_count(session, wanted, most=MOST_COUNTED + 1)
        total = TotalOut.of(counted).model_dump()
    body = {"items": items, "next": following, "total": total, "synced_to": synced}
    return orjson.dumps(body, default=_plain, option=orjson.OPT_UTC_Z), following


def _plain(value: object) -> object:
    """The database driver's own UUIDs in JSON."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no form in JSON")


async def _filter(session: Session, caller: Caller, params: ObservationListParams) -> queries.ObservationFilter:
    layers = params.layer or tuple(Layer)
    urns: list[int] | None = list(params.urn)
    joined: list[int] = []
    left: list[int] = []
    # A replay of a moment says what was recorded until then; what is gone since is no part of it.
    since = params.updated_since if params.as_of is None else None
    if not urns:
        trust_id = await trust_of_filter(session, caller, params.trust)
        as_of = params.as_of or clock.now()
        day = day_in_london(as_of)
        urns = None if trust_id is None else await member_urns(session, trust_id, as_of=as_of, day=day)
        if trust_id is not None and urns is not None and since is not None:
            joined, left = await moved(session, trust_id, since, day)
            urns = sorted({*urns, *left})
    return queries.ObservationFilter(
        trust_id=caller.trust_id if Layer.TRUST in layers else None,
        is_national=Layer.NATIONAL in layers,
        urns=urns,
        measures=params.measure,
        academic_years=params.academic_year,
        pupil_groups=params.pupil_group,
        periods=params.period,
        history=params.history,
        as_of=params.as_of,
        updated_since=params.updated_since,
        news=None if since is None else await news(session, caller.tenant_id, since, urns, joined, left),
    )


async def _with_comparisons(session: Session, rows: Sequence[FigureRow], *, as_of: datetime | None) -> list[object]:
    """The figures as JSON, each with those of England and of its LA. Two queries, however many rows."""
    if not rows:
        return []
    places = await queries.places_of(session, sorted({row.urn for row in rows}))
    las = sorted({la for la, _ in places.values() if la is not None})
    keys = sorted({_comparison_key(row) for row in rows})
    found: dict[tuple[str, str, str, str], list[ComparisonRow]] = {}
    for figure in await queries.comparisons_of(session, keys, las=las, as_of=as_of):
        found.setdefault(_comparison_key(figure), []).append(figure)
    items: list[object] = []
    for row in rows:
        la, phase = places.get(row.urn, (None, None))
        items.append(_shown(row, _beside(found.get(_comparison_key(row), ()), la=la, phase=phase)))
    return items


def _comparison_key(row: FigureRow | ComparisonRow) -> tuple[str, str, str, str]:
    return row.measure, row.academic_year, row.pupil_group, row.period


def _beside(figures: Iterable[ComparisonRow], *, la: str | None, phase: str | None) -> list[Mapping[str, object]]:
    """England's figure and the LA's: of the school's own phase if there is one, of state-funded schools if known."""
    best: dict[ComparisonArea, tuple[tuple[bool, bool], ComparisonRow]] = {}
    for figure in figures:
        if figure.phase not in (phase, _ANY_PHASE) or (figure.area == "la" and figure.area_code != la):
            continue
        area = ComparisonArea.NATIONAL if figure.area == "england" else ComparisonArea.LA
        fit = (figure.phase == phase, figure.sector == "state_funded")
        if area not in best or fit > best[area][0]:
            best[area] = (fit, figure)
    shown = ("area_code", "sector", "phase", "value", "reason", "release", "source")
    return [
        {"kind": area, **{name: getattr(best[area][1], name) for name in shown}}
        for area in ComparisonArea
        if area in best
    ]


def _shown(row: FigureRow, comparisons: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    measure = MEASURES.get(row.measure)
    has_interval = row.lower is not None or row.upper is not None
    return {
        "id": row.id,
        "urn": row.urn,
        "layer": _LAYERS[row.layer],
        "measure": row.measure,
        "pupil_group": row.pupil_group,
        "academic_year": row.academic_year,
        "period": row.period,
        "value": row.value,
        "reason": row.reason,
        "unit": None if measure is None else measure.unit,
        "interval": {"lower": row.lower, "upper": row.upper} if has_interval else None,
        "cohort": row.cohort,
        "band": progress_band(row.measure, row.academic_year, row.value, row.lower, row.upper),
        "published_band": row.published_band,
        "release": row.release,
        "source": row.source,
        "import_id": row.import_id,
        "recorded_at": row.recorded_at,
        "superseded_at": row.superseded_at,
        "is_removed": row.is_removed,
        "comparisons": comparisons,
    }
