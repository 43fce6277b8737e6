"""The columns of Ofsted's management information: which inspection of a row each belongs to, or why it isn't read.

Since November 2025 the header has a set of columns for the latest full inspection (a report card), one for the latest
inspection with the old grades (OEIF), one for the latest ungraded inspection, and what the school is called now. Older
files have a set without a name in place of the first two, and one of the previous inspection.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from academy.imports.formats.reading import Column

REPORT_CARDS_SINCE: Final = date(2025, 11, 10)
"""Report cards with eight areas and five grades; before that day overall grades, or areas with the old four."""

_GRADED: Final = {
    "quality_of_education": "Quality of education",
    "behaviour_and_attitudes": "Behaviour and attitudes",
    "personal_development": "Personal development",
    "leadership_and_management": "Effectiveness of leadership and management",
    "early_years": "Early years provision (where applicable)",
    "sixth_form": "Sixth form provision (where applicable)",
    "outcomes": "Outcomes for pupils",
    "teaching": "Quality of teaching, learning and assessment",
    "development_behaviour_welfare": "Personal development, behaviour and welfare",
}
_OEIF: Final = tuple(_GRADED)[:6]
_REPORT_CARD: Final = {
    "inclusion": "Inclusion",
    "curriculum_and_teaching": "Curriculum and teaching",
    "achievement": "Achievement",
    "attendance_and_behaviour": "Attendance and behaviour",
    "personal_development_and_wellbeing": "Personal development and wellbeing",
    "leadership_and_governance": "Leadership and governance",
    "early_years": "Early years (where applicable)",
    "post_16": "Post-16 provision (where applicable)",
}
_DATES: Final = {
    **{area: f"{column} - date of grade" for area, column in _REPORT_CARD.items()},
    "early_years": "Early years - date of grade",
    "post_16": "Post-16 provision - date of grade",
    "safeguarding": "Safeguarding standards - date of grade",
}

CATEGORY: Final = "Category of concern"
LATEST_CATEGORY: Final = "Most recent category of concern"


def _prefixed(prefix: str) -> dict[str, str]:
    return {area: f"{prefix} {_GRADED[area][0].lower()}{_GRADED[area][1:]}" for area in _OEIF}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One inspection that a row may hold, and its columns.

    `relates` says whether it is of the school under its present URN, `urn` the URN that it had. `graded_on` are the
    days of the areas' grades, where a later visit may have changed them.
    """

    kind: str
    date: str
    published: str
    relates: str
    urn: str
    grade: str | None = None
    concern: str | None = None
    safeguarding: str | None = None
    outcome: str | None = None
    judgements: Mapping[str, str] = field(default_factory=dict)
    graded_on: Mapping[str, str] = field(default_factory=dict)


REPORT_CARD: Final = Part(
    "report_card",
    date="Inspection start date",
    published="Publication date",
    relates="Does the latest full inspection relate to the URN of the current school?",
    urn="URN at time of latest full inspection",
    concern=CATEGORY,
    safeguarding="Safeguarding standards",
    judgements=_REPORT_CARD,
    graded_on=_DATES,
)
OVERALL_GRADE: Final = replace(
    REPORT_CARD,
    kind="overall_grade",
    grade="Overall effectiveness",
    safeguarding="Safeguarding is effective?",
    judgements=_GRADED,
    graded_on={},
)
"""The two frameworks of the set that is named after neither: a row's set is of one of them."""
PARTS: Final = (
    REPORT_CARD,
    OVERALL_GRADE,
    Part(
        "overall_grade",
        date="Inspection start date of latest OEIF graded inspection",
        published="Publication date of latest OEIF graded inspection",
        relates="Does the latest OEIF graded inspection relate to the URN of the current school?",
        urn="URN at time of latest OEIF graded inspection",
        grade="Latest OEIF overall effectiveness",
        concern="Latest OEIF category of concern",
        safeguarding="Latest OEIF safeguarding is effective?",
        judgements=_prefixed("Latest OEIF"),
    ),
    Part(
        "overall_grade",
        date="Previous inspection start date",
        published="Previous publication date",
        relates="Does the previous full inspection relate to the URN of the current school?",
        urn="URN at time of previous full inspection",
        grade="Previous full inspection overall effectiveness",
        concern="Previous category of concern",
        safeguarding="Previous safeguarding is effective?",
        judgements=_prefixed("Previous"),
    ),
    Part(
        "ungraded",
        date="Date of latest ungraded inspection",
        published="Ungraded inspection publication date",
        relates="Does the ungraded inspection relate to the URN of the current school?",
        urn="URN at time of the ungraded inspection",
        outcome="Ungraded inspection overall outcome",
    ),
)

_ALIASES: Final = {
    "Inspection start date": ("Inspection Date", "First day of inspection", "OfstedLastInsp"),
    "Publication date": ("Date published",),
    "Overall effectiveness": ("Rating", "OfstedRating (name)", "Overall effectiveness: how good is the school"),
    "Inspection start date of latest OEIF graded inspection": (
        "Inspection start date of latest OEIF standard inspection",
    ),
    "Publication date of latest OEIF graded inspection": ("Publication date of latest OEIF standard inspection",),
    "Previous inspection start date": ("Previous graded inspection start date",),
    "Previous publication date": ("Previous graded inspection publication date",),
    "Previous full inspection overall effectiveness": (
        "Previous graded inspection overall effectiveness",
        "Previous overall effectiveness",
    ),
    "Does the previous full inspection relate to the URN of the current school?": (
        "Does the previous graded inspection relate to the URN of the current school?",
    ),
    "URN at time of previous full inspection": ("URN at time of previous graded inspection",),
}
_EXAMPLES: Final = {"Overall effectiveness": "Good", "Inspection start date": "2019-01-23"}


def _columns() -> Iterator[Column]:
    yield Column("URN", "Unique reference number of the school", required=True, example="115850")
    named: set[str] = set()
    for part in PARTS:
        singles: dict[str | None, str] = {
            part.date: "Day on which the inspection began",
            part.grade: "Overall grade, by number or name",
            part.published: "Day of publication",
            part.relates: "Yes or No; of No without another URN the inspection is passed over",
            part.urn: "The school's number at the time: the inspection is kept under it",
            part.concern: "Special measures (SM), serious weaknesses (SWK), requires significant improvement (RSI)",
            part.safeguarding: "Whether safeguarding is effective (until 2025) or met (since)",
            part.outcome: "What an ungraded inspection found, in its words",
            **dict.fromkeys(part.judgements.values(), "Grade of this area"),
            **dict.fromkeys(part.graded_on.values(), "Day of this grade, which a later visit may have changed"),
        }
        for name, meaning in singles.items():
            if name is not None and name not in named:
                named.add(name)
                yield Column(name, meaning, aliases=_ALIASES.get(name, ()), example=_EXAMPLES.get(name, ""))
    yield Column(LATEST_CATEGORY, "The category that the school is in now; kept with its newest inspection")


COLUMNS: Final = tuple(_columns())
"""Every column that is read."""

_THEN: Final = (
    "latest full inspection",
    "latest OEIF graded inspection",
    "previous full inspection",
    "previous graded inspection",
    "the ungraded inspection",
)
PASSED_OVER: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "Web Link", "Web Link (opens in new window)", "LAESTAB", "School name", "Ofsted phase", "Type of education",
            "School open date", "Admissions policy", "Sixth form", "Designated religious character",
            "Religious ethos", "Faith grouping", "Ofsted region", "Region", "Local authority",
            "Parliamentary constituency", "Postcode", "Multi-academy trust UID", "Multi-academy trust name",
            "Academy sponsor UID", "Academy sponsor name",
            "The income deprivation affecting children index (IDACI) quintile", "Total number of pupils",
            "Statutory lowest age", "Statutory highest age",
        ),
        "about the school as it is now: the register's own files say it",
    ),
    **dict.fromkeys(
        (
            "Inspection number of latest full inspection", "Inspection type", "Inspection type grouping",
            "Event type grouping", "Inspection number of latest OEIF graded inspection",
            "Inspection type of latest OEIF graded inspection",
            "Inspection type grouping of latest OEIF graded inspection",
            "Event type grouping of latest OEIF graded inspection", "Latest ungraded inspection number",
        ),
        "how Ofsted counts and groups the inspection: school, day and kind name it here",
    ),
    **dict.fromkeys(
        (f"{what} at time of {of}" for what in ("LAESTAB", "School name", "School type") for of in _THEN),
        "what the school was called at the time: its URN at the time is read",
    ),
}  # fmt: skip
"""Columns of the real header that are read past on purpose, and why."""
