"""The catalogue: every measure by its code, the groups and periods a figure can be about, and its gaps.

A measure is added in `catalogue.py` and nowhere else; criteria, imports and figures name it by its dotted
code.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from academy.measures.catalogue import CATALOGUE
from academy.measures.measure import Measure, MeasureDirection, Unit
from sector.years import parse_academic_year

__all__ = [
    "MEASURES",
    "PERIODS",
    "PUPIL_GROUPS",
    "Measure",
    "MeasureDirection",
    "Unit",
    "pupils_in_a_sentence",
    "suggest_measure",
    "why_not_published",
]

MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({measure.code: measure for measure in CATALOGUE})
"""Every measure by its code, in the order of the catalogue."""

PUPIL_GROUPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "all": "all pupils",
        "disadvantaged": "disadvantaged pupils (free school meals in the last six years, or looked after)",
        "not_disadvantaged": "pupils who aren't disadvantaged",
        "boys": "boys",
        "girls": "girls",
        "eal": "pupils with English as an additional language",
        "english_first_language": "pupils whose first language is English",
        "non_mobile": "pupils who didn't join in the last two years of the key stage",
        "prior_low": "pupils with low attainment before",
        "prior_middle": "pupils with middle attainment before",
        "prior_high": "pupils with high attainment before",
        "fsm": "pupils eligible for free school meals",
        "not_fsm": "pupils not eligible for free school meals",
        "sen": "pupils with special educational needs",
        "sen_support": "pupils with SEN support",
        "ehc_plan": "pupils with an education, health and care plan",
        "no_sen": "pupils without special educational needs",
        "looked_after": "looked-after children",
        "young_carers": "young carers",
        "reception": "Reception",
        **{f"year_{number}": f"Year {number}" for number in range(1, 14)},
    }
)
"""Every group of pupils a figure can be about, with its title; `all` for everyone."""

PERIODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "year": "the whole academic year",
        "autumn": "the autumn term",
        "spring": "the spring term",
        "summer": "the summer term",
        "autumn_spring": "the autumn and spring terms",
        "year_to_date": "the academic year so far: part of a year, never held against a whole one",
    }
)
"""Every period a figure can be about."""


def why_not_published(measure: str, academic_year: str) -> str | None:
    """Why no school has a figure of this measure and year; None when figures are published.

    Raises KeyError for an unknown measure and ValueError for what isn't an academic year.
    """
    return MEASURES[measure].not_published.get(parse_academic_year(academic_year))


def pupils_in_a_sentence(pupil_group: str) -> str | None:
    """How a sentence speaks of a group's pupils, without what explains it in brackets; None for everyone."""
    if pupil_group == "all":
        return None
    title = PUPIL_GROUPS.get(pupil_group, pupil_group).partition(" (")[0]
    return f"pupils in {title}" if title[0].isupper() else title


def suggest_measure(text: str) -> str | None:
    """The code that was probably meant by an unknown one; None when nothing is close."""
    return next(iter(get_close_matches(text.strip().lower(), MEASURES, n=1, cutoff=0.6)), None)
