"""The tables that imports fill, and what makes two of their rows the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from academy.imports.applying.inspection_details import INSPECTION_DETAILS
from academy.imports.applying.merge import Entries, Figures

SCHOOL_KEY: Final = ("urn", "measure", "academic_year", "pupil_group", "period")
SCHOOL_VALUES: Final = ("value", "reason", "lower", "upper", "cohort", "published_band")
SUBJECT: Final = ("urn", "measure", "academic_year")

NATIONAL_FIGURES: Final = Figures(
    "observations",
    "academy.reference_observation",
    SCHOOL_KEY,
    SCHOOL_VALUES,
    SUBJECT,
    details=("lower", "upper", "cohort", "published_band"),
)
"""Published tables come in several widths: a national extract has the figure, the authority's file its interval too."""
TRUST_FIGURES: Final = Figures("observations", "academy.observation", SCHOOL_KEY, SCHOOL_VALUES, SUBJECT)
COMPARISONS: Final = Figures(
    "comparison_figures",
    "academy.comparison_figure",
    ("measure", "academic_year", "area", "area_code", "sector", "phase", "pupil_group", "period"),
    ("value", "reason"),
    ("measure", "academic_year"),
)
INSPECTIONS: Final = Figures(
    "inspections",
    "academy.inspection",
    ("urn", "inspected_on", "kind"),
    (
        "published_on",
        "overall_grade",
        "category_of_concern",
        "judgements",
        "safeguarding",
        "graded_on",
        "latest_category_of_concern",
    ),
    ("urn",),
    has_release=False,
    kept=INSPECTION_DETAILS,
)

_UPDATED: Final = (("updated_at", "cast(:at as timestamptz)"),)
_UNKNOWN_SCHOOL: Final = (("name", "'URN ' || c.urn"), ("status", "'unknown'"))

SCHOOLS: Final = Entries(
    "schools",
    "academy.school",
    (("urn", "urn"),),
    _UNKNOWN_SCHOOL,
    settled=(*_UPDATED, ("source", "cast(:source as text)"), ("is_registered", "true")),
)
"""Schools as a file names them that is of something else: groups, or figures."""
OWN_SCHOOLS: Final = replace(SCHOOLS, empty_clears=True)
"""Schools from the register's own file of them."""
OWN_SCHOOLS_WITHOUT_TYPES: Final = replace(OWN_SCHOOLS, kept=("phase",))
"""The same without a column of types: some phases follow from the type alone, so an empty one says nothing."""
SCHOOL_FACTS: Final = Entries(
    "schools",
    "academy.school",
    (("urn", "urn"),),
    (*_UNKNOWN_SCHOOL, ("is_registered", "false")),
    settled=_UPDATED,
)
"""Facts about schools from a file that isn't a register (it doesn't name them)."""

TRUSTS: Final = Entries(
    "trusts",
    "academy.trust_register",
    (("register_id", "id"),),
    (("name", "c.group_uid"), ("kind", "'other'"), ("status", "'unknown'")),
    settled=_UPDATED,
)
OWN_TRUSTS: Final = replace(TRUSTS, empty_clears=True)
"""Trusts from the register's own file of groups."""
SCHOOL_LINKS: Final = Entries(
    "school_links",
    "academy.school_link",
    (("urn", "urn"), ("linked_urn", "linked_urn"), ("link_type", "link_type")),
    has_version=False,
    settled=(("import_id", "cast(:import_id as uuid)"),),
)
