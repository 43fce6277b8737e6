"""Bands of progress against every published band of real tables."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.observations.rules import (
    KS2_CUTS,
    ProgressBand,
    ks2_progress_band,
    progress_8_band,
    progress_band,
)

DATA = Path(__file__).parents[1] / "imports" / "data"
BANDS = {str(number): band for number, band in enumerate(ProgressBand, 1)}
SCORES = st.floats(-5, 5, allow_nan=False)


def rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


@pytest.mark.parametrize(
    ("score", "lower", "upper", "band"),
    [
        (0.5, 0.33, 0.66, "well_above_average"),
        (0.49, 0.33, 0.66, "above_average"),
        (0.7, 0.0, 1.4, "average"),
        (-0.29, -0.58, 0.0, "average"),
        (-0.5, -1.16, 0.16, "average"),
        (-0.5, -0.74, -0.26, "below_average"),
        (-0.51, -0.74, -0.26, "well_below_average"),
    ],
)
def test_progress_8_at_the_edges(score: float, lower: float, upper: float, band: str) -> None:
    assert progress_8_band(score, lower, upper) == band


def test_progress_8_without_an_interval_has_no_band() -> None:
    assert progress_8_band(1.2, None, None) is None
    assert progress_8_band(1.2, 0.4, None) is None


def test_every_published_progress_8_band_of_hampshire_is_reproduced() -> None:
    told = [row for row in rows("ks4_2017-2018_850_ks4final.csv") if row.get("P8_BANDING") in BANDS]
    assert len(told) == 81
    for row in told:
        band = progress_8_band(float(row["P8MEA"]), float(row["P8CILOW"]), float(row["P8CIUPP"]))
        assert band == BANDS[row["P8_BANDING"]], row


KS2_PUBLISHED = [
    ("ks2_2017-2018_850.csv", "", "2017/18"),
    ("ks2_2017-2018_850.csv", "_17", "2016/17"),
    ("ks2_2017-2018_850.csv", "_16", "2015/16"),
    ("ks2_2018-2019_850.csv", "", "2018/19"),
    ("ks2_2018-2019_850.csv", "_18", "2017/18"),
    ("ks2_2018-2019_850.csv", "_17", "2016/17"),
]


@pytest.mark.parametrize(
    ("subject", "column"), [("reading", "READPROG"), ("writing", "WRITPROG"), ("maths", "MATPROG")]
)
@pytest.mark.parametrize(("name", "ending", "year"), KS2_PUBLISHED)
def test_every_published_ks2_band_of_hampshire_is_reproduced(
    name: str, ending: str, year: str, subject: str, column: str
) -> None:
    told = [row for row in rows(name) if row.get(f"{column}_DESCR{ending}") in BANDS]
    assert len(told) > 300
    for row in told:
        score, lower, upper = (float(row[f"{column}{part}{ending}"]) for part in ("", "_LOWER", "_UPPER"))
        assert ks2_progress_band(subject, year, score, lower, upper) == BANDS[row[f"{column}_DESCR{ending}"]], row


@pytest.mark.parametrize(
    ("subject", "column"), [("reading", "READPROG"), ("writing", "WRITPROG"), ("maths", "MATPROG")]
)
def test_no_band_of_england_contradicts_the_cuts(subject: str, column: str) -> None:
    cuts = KS2_CUTS[subject, "2018/19"]
    checked = 0
    for row in rows("ks2_2018-2019_england.csv"):
        band = BANDS.get(row[f"{column}_DESCR"])
        if band is not None:
            score = float(row[column])
            assert (score >= cuts.well_above) or band != "well_above_average"
            assert (score <= cuts.well_below) or band != "well_below_average"
            assert (score <= cuts.above) or band != "above_average"
            checked += 1
    assert checked > 200


def test_ks2_bands_that_cannot_be_told_are_not_guessed() -> None:
    assert ks2_progress_band("reading", "2016/17", 3.4, 1.0, 5.0) is None, "between 3.3 (above) and 3.5 (well above)"
    assert ks2_progress_band("reading", "2022/23", 3.4, 1.0, 5.0) is None, "the cuts of the year aren't known"
    assert ks2_progress_band("reading", "2022/23", 0.4, -1.0, 2.0) == "average"
    assert ks2_progress_band("reading", "2018/19", 3.4, None, None) is None


@pytest.mark.parametrize("key", KS2_CUTS, ids=" ".join)
def test_cuts_are_ordered_and_have_a_source(key: tuple[str, str]) -> None:
    cuts = KS2_CUTS[key]
    assert cuts.well_below < cuts.below < 0 < cuts.above < cuts.well_above
    assert cuts.source


@given(score=SCORES, half=st.floats(0, 3))
def test_a_band_never_points_away_from_its_interval(score: float, half: float) -> None:
    lower, upper = score - half, score + half
    band = progress_8_band(score, lower, upper)
    if band in (ProgressBand.WELL_ABOVE_AVERAGE, ProgressBand.ABOVE_AVERAGE):
        assert lower > 0
    elif band in (ProgressBand.WELL_BELOW_AVERAGE, ProgressBand.BELOW_AVERAGE):
        assert upper < 0
    else:
        assert lower <= 0 <= upper


def test_the_band_of_any_measure() -> None:
    assert progress_band("ks4.progress_8", "2018/19", 0.6, 0.1, 1.0) == "well_above_average"
    assert progress_band("ks2.maths_progress", "2018/19", 3.0, 0.5, 5.5) == "well_above_average"
    assert progress_band("ks4.attainment_8", "2018/19", 46.0, 45.0, 47.0) is None
    assert progress_band("ks4.progress_8", "2018/19", None, None, None) is None
