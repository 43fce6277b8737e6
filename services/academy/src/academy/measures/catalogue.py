"""The definitions behind the catalogue, as data: families of measures, and what each one adds to its
family."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from types import MappingProxyType
from typing import Final

from academy.measures.measure import Measure, MeasureDirection, Unit

HIGHER, LOWER, NEUTRAL = MeasureDirection.HIGHER_IS_BETTER, MeasureDirection.LOWER_IS_BETTER, MeasureDirection.NEUTRAL

PRIMARY: Final = ("primary", "all_through", "special")
SECONDARY: Final = ("secondary", "all_through", "special", "alternative_provision")
POST_16: Final = ("secondary", "all_through", "special", "sixteen_plus")
STATUTORY: Final = ("primary", "secondary", "all_through", "special", "alternative_provision")
EVERY: Final = ("nursery", *STATUTORY, "sixteen_plus")

NO_EXAMS: Final = "Summer exams were cancelled because of Covid-19; results of schools weren't published."
NO_TESTS: Final = "Key stage 2 tests were cancelled because of Covid-19."
NO_SCHOOL_KS2: Final = "Key stage 2 results of 2021/22 were published for England and areas, not for schools."
NO_PRIOR_KS2: Final = "No Progress 8: these pupils took no key stage 2 tests (cancelled in 2020 and 2021)."
NO_PRIOR_KS1: Final = "No progress: these pupils took no key stage 1 assessments (cancelled in 2020, 2021)."
NO_WHOLE_YEAR: Final = "Absence of the whole year wasn't published: schools closed in March 2020."

DAILY: Final = ", from daily registers"

KS4_GAPS: Final = {"2019/20": NO_EXAMS, "2020/21": NO_EXAMS}
P8_GAPS: Final = {**KS4_GAPS, "2024/25": NO_PRIOR_KS2, "2025/26": NO_PRIOR_KS2}
KS2_GAPS: Final = {"2019/20": NO_TESTS, "2020/21": NO_TESTS, "2021/22": NO_SCHOOL_KS2}
KS2_PROGRESS_GAPS: Final = {**KS2_GAPS, "2023/24": NO_PRIOR_KS1, "2024/25": NO_PRIOR_KS1}

_PERCENT: Final = Measure(
    code="",
    title="",
    meaning="",
    unit=Unit.PERCENT,
    direction=HIGHER,
    phases=SECONDARY,
    decimals=1,
    minimum=0,
    maximum=100,
    source="",
)
_KS4: Final = replace(_PERCENT, source="DfE key stage 4 performance tables", not_published=MappingProxyType(KS4_GAPS))
_P8: Final = replace(
    _KS4,
    unit=Unit.POINTS,
    decimals=2,
    minimum=-10,
    maximum=10,
    has_interval=True,
    not_published=MappingProxyType(P8_GAPS),
)
_DESTINATION: Final = replace(_PERCENT, source="DfE key stage 4 destination measures")
_POST_16_DESTINATION: Final = replace(_PERCENT, phases=POST_16, source="DfE 16 to 18 destination measures")
_KS2: Final = replace(
    _PERCENT,
    phases=PRIMARY,
    decimals=0,
    source="DfE key stage 2 performance tables",
    not_published=MappingProxyType(KS2_GAPS),
)
_KS2_PROGRESS: Final = replace(
    _KS2,
    unit=Unit.POINTS,
    decimals=1,
    minimum=-60,
    maximum=60,
    has_interval=True,
    not_published=MappingProxyType(KS2_PROGRESS_GAPS),
)
_KS2_SCORE: Final = replace(_KS2, unit=Unit.POINTS, minimum=80, maximum=120)
_ABSENCE: Final = replace(
    _PERCENT,
    direction=LOWER,
    phases=STATUTORY,
    source="DfE pupil absence in schools in England",
    not_published=MappingProxyType({"2019/20": NO_WHOLE_YEAR}),
)
_ATTENDANCE: Final = replace(_PERCENT, direction=LOWER, phases=STATUTORY, source="DfE pupil attendance in schools")
_CENSUS: Final = replace(_PERCENT, direction=NEUTRAL, phases=EVERY, source="DfE school census")
_OWN: Final = replace(_PERCENT, phases=PRIMARY, source="the trust's own data")


def _ks4() -> Iterator[Measure]:
    yield replace(
        _P8,
        code="ks4.progress_8",
        title="Progress 8",
        meaning="Progress of pupils from the end of key stage 2 to the end of key stage 4, in grades, against "
        "pupils in England with the same starting points; 0 is the average. Extreme scores are adjusted since 2018.",
    )
    for element, name in {"english": "English", "maths": "maths", "ebacc": "EBacc", "open": "open"}.items():
        yield replace(
            _P8,
            code=f"ks4.progress_8_{element}",
            title=f"Progress 8, {name} element",
            subject=f"The {name} element of Progress 8",
            meaning=f"As Progress 8, for the {name} slots only.",
        )
    yield replace(
        _KS4,
        code="ks4.progress_8_coverage_percent",
        title="Progress 8 coverage",
        meaning="Share of pupils at the end of key stage 4 who are included in Progress 8.",
        decimals=0,
        not_published=MappingProxyType(P8_GAPS),
    )
    yield replace(
        _KS4,
        code="ks4.attainment_8",
        title="Attainment 8",
        meaning="Average points of pupils over eight subjects, English and maths counted twice.",
        unit=Unit.POINTS,
    )
    for grade, word in ((5, "strong"), (4, "standard")):
        yield replace(
            _KS4,
            code=f"ks4.english_maths_grade_{grade}_percent",
            title=f"English and maths at grade {grade} or above",
            subject=f"The share of {{pupils}} with grade {grade} or above in English and maths",
            meaning=f"Share of pupils with a {word} pass (grade {grade} or above) in both English and maths.",
        )
    yield replace(
        _KS4,
        code="ks4.ebacc_average_point_score",
        title="EBacc average point score",
        subject="The EBacc average point score",
        names_unit=True,
        meaning="Average points over the five pillars of the English Baccalaureate; since 2017/18.",
        unit=Unit.POINTS,
        decimals=2,
        maximum=10,
    )
    yield replace(
        _KS4,
        code="ks4.ebacc_entry_percent",
        title="Entering the EBacc",
        subject="The share of {pupils} who entered the EBacc",
        meaning="Share of pupils who entered all five pillars of the English Baccalaureate.",
    )
    yield from _destinations(_DESTINATION, "ks4", "")


def _destinations(family: Measure, stage: str, study: str) -> Iterator[Measure]:
    """What leavers stayed in; `study` is what follows of what they had studied, where it isn't key stage 4."""
    yield replace(
        family,
        code=f"{stage}.destinations_percent",
        title=f"Staying in education, apprenticeship or employment{study}",
        subject=f"The share of {{pupils}} who stayed in education, an apprenticeship or employment{study}",
        meaning=f"Share of leavers who stayed in education, an apprenticeship or employment for two terms{study}.",
    )
    for name in ("education", "employment"):
        yield replace(
            family,
            code=f"{stage}.destinations_{name}_percent",
            title=f"Staying in {name}{study}",
            subject=f"The share of {{pupils}} who stayed in {name}{study}",
            meaning=f"Share of leavers who stayed in {name} for two terms{study}.",
            direction=NEUTRAL,
        )
    yield replace(
        family,
        code=f"{stage}.destinations_apprenticeship_percent",
        title=f"Staying in an apprenticeship{study}",
        subject=f"The share of {{pupils}} who stayed in an apprenticeship{study}",
        meaning=f"Share of leavers who stayed in an apprenticeship for six months{study}.",
        direction=NEUTRAL,
    )


def _ks5() -> Iterator[Measure]:
    yield from _destinations(_POST_16_DESTINATION, "ks5", " after 16 to 18 study")


# Writing has no test and no score: its higher standard has a name of its own.
_HIGHER: Final = {"writing": "greater depth"}


def _ks2() -> Iterator[Measure]:
    yield replace(
        _KS2,
        code="ks2.rwm_expected_percent",
        title="Reading, writing and maths at the expected standard",
        subject="The share of {pupils} at the expected standard in reading, writing and maths",
        meaning="Share of pupils who reached the expected standard in reading, writing and maths.",
    )
    yield replace(
        _KS2,
        code="ks2.rwm_higher_percent",
        title="Reading, writing and maths at the higher standard",
        subject="The share of {pupils} at the higher standard in reading, writing and maths",
        meaning="Share with a high score in reading and maths who also write at greater depth.",
    )
    for subject in ("reading", "writing", "maths"):
        yield replace(
            _KS2_PROGRESS,
            code=f"ks2.{subject}_progress",
            title=f"{subject.capitalize()} progress",
            meaning=f"Progress in {subject} from the end of key stage 1 to the end of key stage 2, against pupils "
            "in England with the same starting points; 0 is the average.",
        )
    scored = {"reading": "Reading", "maths": "Maths", "gps": "Grammar, punctuation and spelling"}
    for code, title in scored.items():
        yield replace(
            _KS2_SCORE,
            code=f"ks2.{code}_scaled_score",
            title=f"{title}: average scaled score",
            subject=f"The average scaled score in {title.lower()}",
            names_unit=True,
            meaning="Average scaled score in the test; 100 is the expected standard.",
        )
    for code, title in {**scored, "writing": "Writing"}.items():
        yield replace(
            _KS2,
            code=f"ks2.{code}_expected_percent",
            title=f"{title} at the expected standard",
            subject=f"The share of {{pupils}} at the expected standard in {title.lower()}",
            meaning="Share of pupils who reached the expected standard.",
        )
        yield replace(
            _KS2,
            code=f"ks2.{code}_higher_percent",
            title=f"{title} at the higher standard",
            subject=f"The share of {{pupils}} at {_HIGHER.get(code, 'the higher standard')} in {title.lower()}",
            meaning="Share of pupils with a high score; in writing, at greater depth.",
        )


def _attendance() -> Iterator[Measure]:
    absence = {
        "overall": ("Overall absence", "Share of possible sessions that pupils missed."),
        "authorised": ("Authorised absence", "Share of possible sessions missed with the school's leave."),
        "unauthorised": ("Unauthorised absence", "Share of possible sessions missed without leave."),
        "persistent": (
            "Persistent absence",
            "Share of pupils who missed 10% or more of their own possible sessions. Terms can't be averaged.",
        ),
        "severe": ("Severe absence", "Share of pupils who missed 50% or more of their own possible sessions."),
    }
    for code, (title, meaning) in absence.items():
        yield replace(_ABSENCE, code=f"absence.{code}_percent", title=title, meaning=meaning)
    yield replace(
        _ATTENDANCE,
        code="attendance.overall_percent",
        title="Attendance",
        meaning="Share of possible sessions that pupils attended, from daily registers.",
        direction=HIGHER,
    )
    for code, title, meaning in (
        ("absence", f"Absence{DAILY}", "Share of possible sessions that pupils missed."),
        ("authorised_absence", f"Authorised absence{DAILY}", "Sessions missed with leave."),
        ("unauthorised_absence", f"Unauthorised absence{DAILY}", "Sessions without leave."),
        (
            "persistent_absence",
            f"Persistent absence{DAILY}",
            "Share of pupils who have missed 10% or more of their own possible sessions so far.",
        ),
    ):
        subject = f"{title.removesuffix(DAILY)} in daily registers"
        yield replace(_ATTENDANCE, code=f"attendance.{code}_percent", title=title, meaning=meaning, subject=subject)


def _census() -> Iterator[Measure]:
    yield replace(
        _CENSUS,
        code="census.pupils",
        title="Pupils on roll",
        subject="The number of {pupils} on roll",
        names_unit=True,
        meaning="Number of pupils on roll at the January census.",
        unit=Unit.PUPILS,
        decimals=0,
        maximum=20_000_000,
    )
    for code, title, whose, meaning in (
        (
            "eal",
            "English as an additional language",
            "with English as an additional language",
            "Share of pupils whose first language isn't English.",
        ),
        (
            "fsm",
            "Eligible for free school meals",
            "eligible for free school meals",
            "Share of pupils eligible at the census.",
        ),
        (
            "fsm_ever6",
            "Free school meals in the last six years",
            "eligible for free school meals in the last six years",
            "Share of pupils eligible in six years.",
        ),
        ("sen_support", "SEN support", "with SEN support", "Share of pupils with SEN support."),
        (
            "ehc_plan",
            "Education, health and care plan",
            "with an education, health and care plan",
            "Share of pupils with a plan or a statement.",
        ),
    ):
        subject = f"The share of {{pupils}} {whose}"
        yield replace(_CENSUS, code=f"census.{code}_percent", title=title, meaning=meaning, subject=subject)


def _own() -> Iterator[Measure]:
    own = "Published for England and areas only; of a school it comes from the trust's own data. "
    yield replace(
        _OWN,
        code="phonics.expected_percent",
        title="Phonics screening check, Year 1",
        subject="The share of {pupils} who met the standard of the phonics screening check in Year 1",
        meaning=own + "Share of Year 1 pupils who met the expected standard.",
    )
    yield replace(
        _OWN,
        code="eyfs.good_level_of_development_percent",
        title="Good level of development",
        subject="The share of {pupils} with a good level of development",
        meaning=own + "Share of children with a good level of development at the end of Reception.",
        phases=("nursery", *PRIMARY),
    )
    yield replace(
        _OWN,
        code="ks4.english_maths_grade_7_percent",
        title="English and maths at grade 7 or above",
        subject="The share of {pupils} with grade 7 or above in English and maths",
        meaning="Share of pupils with grade 7 or above in both; from the trust's own data.",
        phases=SECONDARY,
    )
    for family, title, subject in (
        ("suspensions", "Suspensions", "The rate of suspensions"),
        ("exclusions", "Permanent exclusions", "The rate of permanent exclusions"),
    ):
        yield replace(
            _OWN,
            code=f"{family}.rate_per_100",
            title=f"{title} per 100 pupils",
            subject=subject,
            meaning="Number in the period, a pupil counted each time, per 100 pupils on roll.",
            unit=Unit.PER_100_PUPILS,
            direction=LOWER,
            phases=STATUTORY,
            decimals=2,
            maximum=10_000,
        )


CATALOGUE: Final = tuple(chain(_ks4(), _ks5(), _ks2(), _attendance(), _census(), _own()))
"""Every measure, in the order in which it is listed."""
