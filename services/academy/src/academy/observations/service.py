"""Listing figures with the figures to compare them with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from academy.academies.queries import member_urns
from academy.measures.rules import MEASURES
from academy.observations import queries
from academy.observations.errors import InstantInFuture
from academy.observations.rules import Layer, progress_band
from academy.observations.schemas import ComparisonArea, ObservationListParams
from academy.recording import synced_to
from academy.trusts.service import trust_of_filter
from kit import clock
from kit.database.sessions import Session
from kit.identity.callers import Caller
from kit.resources.cursors import decode, encode
from sector.days import day_in_london

_LIST = "observations"
_LAYERS = {queries.NATIONAL: Layer.NATIONAL, queries.TRUST: Layer.TRUST}
_ANY_PHASE = "all"


async def list_observations(
    session: Session, caller: Caller, params: ObservationListParams
) -> tuple[list[dict[str, Any]], str | None, datetime]:
    """A page of figures, the cursor after it, and up to when the list says everything.

    Raises InvalidCursor, TrustUnknown and InstantInFuture.
    """
    if params.as_of is not None and params.as_of > clock.now():
        raise InstantInFuture.named("as_of")
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    synced, after = await synced_to(session), None
    if params.cursor is not None:
        *after, first_synced = decode(_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
        synced = datetime.fromisoformat(first_synced)
    wanted = await _filter(session, caller, params)
    rows = await queries.observation_list(session, wanted, after=after, limit=params.limit + 1)
    page = rows[: params.limit]
    items = await _with_comparisons(session, page, as_of=params.as_of)
    if len(rows) <= params.limit:
        return items, None, synced
    last = page[-1]
    values = [*(last[column] for column in queries.KEY), last["layer"], last["recorded_at"], str(last["id"])]
    cursor = encode(_LIST, [*values, synced.isoformat()], tenant=caller.tenant_id, filters=filters)
    return items, cursor, synced


async def _filter(session: Session, caller: Caller, params: ObservationListParams) -> queries.ObservationFilter:
    layers = params.layer or tuple(Layer)
    urns: list[int] | None = list(params.urn)
    if not urns:
        trust_id = await trust_of_filter(session, caller, params.trust)
        as_of = params.as_of or clock.now()
        day = day_in_london(as_of)
        urns = None if trust_id is None else await member_urns(session, trust_id, as_of=as_of, day=day)
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
    )


async def _with_comparisons(
    session: Session, rows: list[dict[str, Any]], *, as_of: datetime | None
) -> list[dict[str, Any]]:
    """The figures as they are told, each with those of England and of its LA. Two queries, however many rows."""
    if not rows:
        return []
    places = await queries.places_of(session, sorted({row["urn"] for row in rows}))
    las = sorted({la for la, _ in places.values() if la is not None})
    keys = sorted({_comparison_key(row) for row in rows})
    found: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for figure in await queries.comparisons_of(session, keys, las=las, as_of=as_of):
        found.setdefault(_comparison_key(figure), []).append(figure)
    items = []
    for row in rows:
        la, phase = places.get(row["urn"], (None, None))
        items.append(_told(row, _beside(found.get(_comparison_key(row), ()), la=la, phase=phase)))
    return items


def _comparison_key(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return row["measure"], row["academic_year"], row["pupil_group"], row["period"]


def _beside(figures: Iterable[dict[str, Any]], *, la: str | None, phase: str | None) -> list[dict[str, Any]]:
    """England's figure and the LA's: of the school's own phase if there is one, of state-funded schools if told."""
    best: dict[ComparisonArea, tuple[tuple[bool, bool], dict[str, Any]]] = {}
    for figure in figures:
        if figure["phase"] not in (phase, _ANY_PHASE) or (figure["area"] == "la" and figure["area_code"] != la):
            continue
        area = ComparisonArea.NATIONAL if figure["area"] == "england" else ComparisonArea.LA
        fit = (figure["phase"] == phase, figure["sector"] == "state_funded")
        if area not in best or fit > best[area][0]:
            best[area] = (fit, figure)
    told = ("area_code", "sector", "phase", "value", "reason", "release", "source")
    return [{"kind": area, **{name: best[area][1][name] for name in told}} for area in ComparisonArea if area in best]


def _told(row: dict[str, Any], comparisons: list[dict[str, Any]]) -> dict[str, Any]:
    lower, upper = row["lower"], row["upper"]
    measure = MEASURES.get(row["measure"])
    return {
        "id": row["id"],
        "urn": row["urn"],
        "layer": _LAYERS[row["layer"]],
        "measure": row["measure"],
        "pupil_group": row["pupil_group"],
        "academic_year": row["academic_year"],
        "period": row["period"],
        "value": row["value"],
        "reason": row["reason"],
        "unit": None if measure is None else measure.unit,
        "interval": None if lower is None and upper is None else {"lower": lower, "upper": upper},
        "cohort": row["cohort"],
        "band": progress_band(row["measure"], row["academic_year"], row["value"], lower, upper),
        "published_band": row["published_band"],
        "release": row["release"],
        "source": row["source"],
        "import_id": row["import_id"],
        "recorded_at": row["recorded_at"],
        "superseded_at": row["superseded_at"],
        "comparisons": comparisons,
    }
