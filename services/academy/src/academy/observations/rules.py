"""Bands of progress by rule, whose figures there are, and which of several releases counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sector.years import parse_academic_year

# The rule below is `dfe-interval-2016`. A rule that counts otherwise (the DfE proposed quintiles in February 2026) gets
# a name of its own beside this one, which stays for the years that it was published for.
PROGRESS_8_LIMIT: Final = 0.5
"""From this distance to 0 on a Progress 8 score is well above or well below average."""


class Layer(StrEnum):
    """Whose figures: published nationally for every school, or the trust's own."""

    NATIONAL = "national"
    TRUST = "trust"


class Release(StrEnum):
    """How settled a published figure is. Final beats revised beats provisional."""

    PROVISIONAL = "provisional"
    REVISED = "revised"
    FINAL = "final"


BEST_RELEASES_FIRST: Final = (Release.FINAL, Release.REVISED, Release.PROVISIONAL)
"""Of several releases of one figure the first in this order is current; then the one that was recorded last."""


class ProgressBand(StrEnum):
    """How far progress is from the average of England, with the certainty that the cohort allows."""

    WELL_ABOVE_AVERAGE = "well_above_average"
    ABOVE_AVERAGE = "above_average"
    AVERAGE = "average"
    BELOW_AVERAGE = "below_average"
    WELL_BELOW_AVERAGE = "well_below_average"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where "above" ends and "well above" begins, and the same below, in one subject and year.

    The DfE sets the cuts each year from the distribution of all schools. What isn't known exactly leaves a
    gap between `above` (seen as merely above) and `well_above` (seen as well above); a score in the gap has
    no band.
    """

    well_above: float
    above: float
    below: float
    well_below: float
    source: str


_HAMPSHIRE: Final = "the published bands of Hampshire's schools"
_ENGLAND: Final = "the published bands of all schools of England"

KS2_CUTS: Final[Mapping[tuple[str, str], Cuts]] = MappingProxyType(
    {
        ("reading", "2015/16"): Cuts(3.4, 3.3, -2.9, -3.1, _HAMPSHIRE),
        ("writing", "2015/16"): Cuts(3.5, 3.3, -3.4, -3.6, _HAMPSHIRE),
        ("maths", "2015/16"): Cuts(3.1, 3.0, -3.1, -3.2, _HAMPSHIRE),
        ("reading", "2016/17"): Cuts(3.5, 3.3, -2.9, -3.1, _HAMPSHIRE),
        ("writing", "2016/17"): Cuts(3.0, 2.9, -2.7, -3.1, _HAMPSHIRE),
        ("maths", "2016/17"): Cuts(3.4, 3.3, -3.2, -3.4, _HAMPSHIRE),
        ("reading", "2017/18"): Cuts(3.1, 3.0, -2.8, -2.9, _HAMPSHIRE),
        ("writing", "2017/18"): Cuts(2.7, 2.6, -2.6, -2.7, _HAMPSHIRE),
        ("maths", "2017/18"): Cuts(3.2, 3.1, -3.2, -3.3, _HAMPSHIRE),
        ("reading", "2018/19"): Cuts(3.2, 3.1, -2.8, -2.9, _ENGLAND),
        ("writing", "2018/19"): Cuts(2.6, 2.5, -2.5, -2.6, _ENGLAND),
        ("maths", "2018/19"): Cuts(3.0, 2.9, -3.1, -3.2, _ENGLAND),
    }
)
"""By subject and academic year: the largest score published as above and the smallest as well above average
(and so below), read off the DfE's key stage 2 performance tables, which round to one decimal."""


def progress_8_band(score: float, lower: float | None, upper: float | None) -> ProgressBand | None:
    """The band of a Progress 8 score with its 95% interval; None without an interval.

    An interval that touches 0 counts as average, however large the score (DfE, Secondary accountability
    measures, since 2016; reproduces every published band of 2017/18 and 2018/19 that was checked).
    """
    if lower is None or upper is None:
        return None
    if lower > 0:
        return ProgressBand.WELL_ABOVE_AVERAGE if score >= PROGRESS_8_LIMIT else ProgressBand.ABOVE_AVERAGE
    if upper < 0:
        return ProgressBand.WELL_BELOW_AVERAGE if score < -PROGRESS_8_LIMIT else ProgressBand.BELOW_AVERAGE
    return ProgressBand.AVERAGE


def ks2_progress_band(
    subject: str, year: str, score: float, lower: float | None, upper: float | None
) -> ProgressBand | None:
    """The band of a key stage 2 progress score (`reading`, `writing` or `maths`) with its 95% interval.

    None without an interval, and where it can't be told: a score that differs from 0 in a year whose cuts
    aren't known. Raises ValueError when `year` isn't an academic year.
    """
    cuts = KS2_CUTS.get((subject, parse_academic_year(year)))
    if lower is None or upper is None:
        return None
    if lower <= 0 <= upper:
        return ProgressBand.AVERAGE
    if cuts is None:
        return None
    if lower > 0:
        sure, merely = ProgressBand.WELL_ABOVE_AVERAGE, ProgressBand.ABOVE_AVERAGE
        return sure if score >= cuts.well_above else merely if score <= cuts.above else None
    sure, merely = ProgressBand.WELL_BELOW_AVERAGE, ProgressBand.BELOW_AVERAGE
    return sure if score <= cuts.well_below else merely if score >= cuts.below else None


def progress_band(
    measure: str, year: str, score: float | None, lower: float | None, upper: float | None
) -> ProgressBand | None:
    """The band of a figure of any measure; None for a measure that has no bands, or without a score."""
    if score is None:
        return None
    if measure == "ks4.progress_8":
        return progress_8_band(score, lower, upper)
    family, _, rest = measure.partition(".")
    subject, _, kind = rest.partition("_")
    if family == "ks2" and kind == "progress":
        return ks2_progress_band(subject, year, score, lower, upper)
    return None
