"""Looking into the catalogue of measures."""

from __future__ import annotations

from typing import Any

from academy.measures.errors import MeasureNotFound
from academy.measures.rules import MEASURES, Measure, suggest_measure
from academy.measures.schemas import MeasureListParams
from kit.identity.callers import Caller
from kit.resources.cursors import decode, encode

_LIST = "measures"


def list_measures(caller: Caller, params: MeasureListParams) -> tuple[list[dict[str, Any]], str | None]:
    """A page of the catalogue in its own order, and the cursor after it. Raises InvalidCursor."""
    filters = params.model_dump(mode="json", exclude={"limit", "cursor"})
    start = 0
    if params.cursor is not None:
        (start,) = decode(_LIST, params.cursor, tenant=caller.tenant_id, filters=filters)
    found = [measure for measure in MEASURES.values() if _is_wanted(measure, params)]
    end = start + params.limit
    following = encode(_LIST, [end], tenant=caller.tenant_id, filters=filters) if end < len(found) else None
    return [_told(measure) for measure in found[start:end]], following


def view_measure(code: str) -> dict[str, Any]:
    """One measure. Raises MeasureNotFound, with the code that was probably meant."""
    if code not in MEASURES:
        close = suggest_measure(code)
        meant = f" Did you mean {close}?" if close is not None else ""
        raise MeasureNotFound(f"There is no measure {code}.{meant}")
    return _told(MEASURES[code])


def _is_wanted(measure: Measure, params: MeasureListParams) -> bool:
    if params.phase and not set(params.phase) & set(measure.phases):
        return False
    return params.q is None or params.q.casefold() in f"{measure.code} {measure.title}".casefold()


def _told(measure: Measure) -> dict[str, Any]:
    return {
        "code": measure.code,
        "title": measure.title,
        "meaning": measure.meaning,
        "unit": measure.unit,
        "direction": measure.direction,
        "phases": list(measure.phases),
        "decimals": measure.decimals,
        "minimum": measure.minimum,
        "maximum": measure.maximum,
        "has_interval": measure.has_interval,
        "source": measure.source,
        "not_published": [{"academic_year": year, "why": why} for year, why in measure.not_published.items()],
    }
