"""Looking into the catalogue of measures."""

from academy.measures.errors import MeasureNotFound
from academy.measures.rules import MEASURES, Measure, suggest_measure
from academy.measures.schemas import MeasureListParams, MeasureOut, MeasurePage
from kit.identity.callers import Caller
from kit.resources.paging import page_of


def list_measures(caller: Caller, params: MeasureListParams) -> MeasurePage:
    """A page of the catalogue in its own order. Raises InvalidCursor."""
    wanted = [measure for measure in MEASURES.values() if _is_wanted(measure, params)]
    return MeasurePage.of(page_of(caller, "measures", wanted, params), MeasureOut.of)


def view_measure(code: str) -> MeasureOut:
    """One measure. Raises MeasureNotFound, with the code that was probably meant."""
    if code not in MEASURES:
        close = suggest_measure(code)
        meant = f" Did you mean {close}?" if close is not None else ""
        raise MeasureNotFound(f"There is no measure {code}.{meant}")
    return MeasureOut.of(MEASURES[code])


def _is_wanted(measure: Measure, params: MeasureListParams) -> bool:
    if params.phase and not set(params.phase) & set(measure.phases):
        return False
    return params.q is None or params.q.casefold() in f"{measure.code} {measure.title}".casefold()
