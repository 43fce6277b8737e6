"""Every column of Ofsted's file of February 2026 is read or passed over on purpose; what becomes of those read."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from academy.imports.formats.publications.ofsted_categories import categories_by_grades
from academy.imports.formats.publications.ofsted_columns import COLUMNS, PASSED_OVER
from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file

AREAS = (
    "Inclusion", "Curriculum and teaching", "Achievement", "Attendance and behaviour",
    "Personal development and wellbeing", "Early years (where applicable)", "Post-16 provision (where applicable)",
    "Leadership and governance",
)  # fmt: skip
DATES = {area: f"{area.removesuffix(' (where applicable)')} - date of grade" for area in AREAS}
FULL = "latest full inspection"
OEIF = "latest OEIF graded inspection"
UNGRADED = "the ungraded inspection"


def _of(inspection: str, question: str) -> list[str]:
    names = ("URN", "LAESTAB", "School name", "School type")
    return [
        f"Does {question} relate to the URN of the current school?",
        *(f"{name} at time of {inspection}" for name in names),
    ]


HEADER = [
    "Web Link (opens in new window)", "URN", "LAESTAB", "School name", "Ofsted phase", "Type of education",
    "School open date", "Admissions policy", "Sixth form", "Designated religious character", "Religious ethos",
    "Faith grouping", "Ofsted region", "Region", "Local authority", "Parliamentary constituency", "Postcode",
    "Multi-academy trust UID", "Multi-academy trust name", "Academy sponsor UID", "Academy sponsor name",
    "The income deprivation affecting children index (IDACI) quintile", "Total number of pupils",
    "Statutory lowest age", "Statutory highest age", "Inspection number of latest full inspection", "Inspection type",
    "Inspection type grouping", "Event type grouping", "Inspection start date", "Publication date",
    *_of(FULL, "the latest full inspection"), "Category of concern", "Safeguarding standards",
    "Safeguarding standards - date of grade", *(name for pair in DATES.items() for name in pair),
    "Inspection number of latest OEIF graded inspection", "Inspection type of latest OEIF graded inspection",
    "Inspection type grouping of latest OEIF graded inspection", "Event type grouping of latest OEIF graded inspection",
    "Inspection start date of latest OEIF graded inspection", "Publication date of latest OEIF graded inspection",
    *_of(OEIF, "the latest OEIF graded inspection"), "Latest OEIF category of concern",
    "Latest OEIF overall effectiveness", "Latest OEIF quality of education", "Latest OEIF behaviour and attitudes",
    "Latest OEIF personal development", "Latest OEIF effectiveness of leadership and management",
    "Latest OEIF  safeguarding is effective?", "Latest OEIF early years provision (where applicable)",
    "Latest OEIF sixth form provision (where applicable)", "Latest ungraded inspection number",
    "Date of latest ungraded inspection", "Ungraded inspection publication date",
    *_of(UNGRADED, "the ungraded inspection"), "Ungraded inspection overall outcome",
    "Most recent category of concern",
]  # fmt: skip
"""The header of sheet D2 (most recent inspections), in its order."""

CARD = {
    "URN": "147000", "Inspection start date": "02/12/2025", "Publication date": "12/01/2026",
    **dict.fromkeys(AREAS, "Expected standard"), **dict.fromkeys(DATES.values(), "02/12/2025"),
    "Safeguarding standards": "Met", "Safeguarding standards - date of grade": "02/12/2025",
    "Early years (where applicable)": "Not applicable", "Early years - date of grade": "Not applicable",
    "Does the latest full inspection relate to the URN of the current school?": "Yes",
    "URN at time of latest full inspection": "147000",
}  # fmt: skip


def sent(folder: Path, *rows: dict[str, str]) -> WholeReading:
    cells = [[row.get(name, "NULL") for name in HEADER] for row in rows]
    text = "\n".join(",".join(row) for row in [HEADER, *cells]) + "\n"
    file = csv_file(folder, "")
    file.write_bytes(text.encode("cp1252"))
    return read_file("ofsted-inspections", file, academic_year=None)


def card(folder: Path, **changes: str) -> tuple[WholeReading, dict[str, Any]]:
    found = sent(folder, {**CARD, **{name.replace("_", " "): cell for name, cell in changes.items()}})
    assert found.errors == []
    return found, one(found.frame("inspections"), kind="report_card")


def test_every_column_of_the_header_is_read_or_passed_over_on_purpose() -> None:
    read = {" ".join(name.split()) for column in COLUMNS for name in (column.name, *column.aliases)}
    assert [name for name in HEADER if " ".join(name.split()) not in read | set(PASSED_OVER)] == []
    assert not read & set(PASSED_OVER)


def test_the_guide_says_what_becomes_of_each_column() -> None:
    guide = (Path(__file__).parents[5] / "docs" / "guides" / "importing.md").read_text(encoding="utf-8")
    assert [name for name in PASSED_OVER if f"`{name}`" not in guide] == []


def test_a_file_with_the_whole_header_is_read_without_a_warning(tmp_path: Path) -> None:
    found, inspection = card(tmp_path)
    assert found.warnings == []
    assert (inspection["urn"], inspection["inspected_on"], inspection["published_on"]) == (
        147000, date(2025, 12, 2), date(2026, 1, 12),
    )  # fmt: skip
    assert (inspection["safeguarding"], inspection["category_of_concern"]) == ("met", None)
    assert set(json.loads(inspection["judgements"]).values()) == {"expected_standard"}
    assert "early_years" not in json.loads(inspection["judgements"])
    assert json.loads(inspection["graded_on"])["safeguarding"] == "2025-12-02"
    assert "early_years" not in json.loads(inspection["graded_on"])
    assert found.frame("inspections").height == 1


def test_an_area_that_a_later_visit_graded_has_the_day_of_that_visit(tmp_path: Path) -> None:
    _, inspection = card(tmp_path, **{"Leadership and governance - date of grade": "12/05/2026"})
    dates = json.loads(inspection["graded_on"])
    assert inspection["inspected_on"] == date(2025, 12, 2), "the inspection's own day stays"
    assert (dates["leadership_and_governance"], dates["inclusion"]) == ("2026-05-12", "2025-12-02")


def test_each_inspection_is_of_the_urn_that_the_school_had_then(tmp_path: Path) -> None:
    changes = {
        "URN at time of latest full inspection": "119999",
        "Does the latest full inspection relate to the URN of the current school?": "No",
        "Inspection start date of latest OEIF graded inspection": "01/02/2019",
        "Latest OEIF overall effectiveness": "2",
        "URN at time of latest OEIF graded inspection": "118888",
        "Date of latest ungraded inspection": "01/02/2023",
        "Ungraded inspection overall outcome": "School remains Good",
        "URN at time of the ungraded inspection": "147000",
    }
    found = sent(tmp_path, {**CARD, **changes}).frame("inspections")
    assert dict(found.select("kind", "urn").rows()) == {
        "report_card": 119999, "overall_grade": 118888, "ungraded": 147000,
    }  # fmt: skip


def test_an_inspection_of_another_school_that_is_not_named_is_passed_over(tmp_path: Path) -> None:
    found = sent(
        tmp_path,
        {
            **CARD,
            "URN at time of latest full inspection": "NULL",
            "Does the latest full inspection relate to the URN of the current school?": "No",
        },
    )
    assert found.errors == [] and not found.frames
    assert [(w.code, w.times) for w in found.warnings] == [("inspection_of_another_school", 1)]


def test_each_inspection_has_the_category_and_the_safeguarding_of_its_own_set(tmp_path: Path) -> None:
    changes = {
        "Category of concern": "RSI",
        "Safeguarding standards": "Not met",
        "Inspection start date of latest OEIF graded inspection": "01/02/2019",
        "Latest OEIF overall effectiveness": "4",
        "Latest OEIF category of concern": "SM",
        "Latest OEIF  safeguarding is effective?": "Yes",
        "Most recent category of concern": "NULL",
    }
    found = sent(tmp_path, {**CARD, **changes})
    assert found.warnings == []
    rows = found.frame("inspections")
    about = ("category_of_concern", "safeguarding", "latest_category_of_concern")
    newest, before = one(rows, kind="report_card"), one(rows, kind="overall_grade")
    assert [newest[name] for name in about] == ["requires_significant_improvement", "not_met", "none"]
    assert [before[name] for name in about] == ["special_measures", "effective", None]


def test_the_category_of_today_goes_to_the_newest_inspection(tmp_path: Path) -> None:
    changes = {
        "Date of latest ungraded inspection": "01/05/2026",
        "Ungraded inspection overall outcome": "Monitoring",
        "Most recent category of concern": "SM",
    }
    rows = sent(tmp_path, {**CARD, **changes}).frame("inspections")
    assert one(rows, kind="ungraded")["latest_category_of_concern"] == "special_measures"
    assert one(rows, kind="report_card")["latest_category_of_concern"] is None


def test_a_category_without_a_grade_is_an_inspection_of_the_framework_of_its_day(tmp_path: Path) -> None:
    header = "URN,Inspection start date,Category of concern,Inclusion,Quality of education\n"
    rows = "100000,02/12/2025,RSI,NULL,NULL\n100001,02/12/2019,SWK,NULL,NULL\n"
    found = read_file("ofsted-inspections", csv_file(tmp_path, header + rows), academic_year=None)
    kinds = found.frame("inspections").select("urn", "kind", "category_of_concern").rows()
    assert kinds == [
        (100000, "report_card", "requires_significant_improvement"),
        (100001, "overall_grade", "serious_weaknesses"),
    ]


@pytest.mark.parametrize(("day", "kind"), [("02/12/2025", "report_card"), ("02/12/2019", "overall_grade")])
def test_of_two_frameworks_in_one_set_of_columns_the_day_decides(tmp_path: Path, day: str, kind: str) -> None:
    header = "URN,Inspection start date,Category of concern,Inclusion,Overall effectiveness\n"
    row = f"100000,{day},SM,Expected standard,2\n"
    found = read_file("ofsted-inspections", csv_file(tmp_path, header + row), academic_year=None)
    inspection = one(found.frame("inspections"))
    assert (inspection["kind"], inspection["category_of_concern"]) == (kind, "special_measures")
    assert ("frameworks_mixed", 1) in [(w.code, w.times) for w in found.warnings]


def test_a_report_card_of_an_early_day_stays_one(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path, "URN,Inspection start date,Inclusion,Overall effectiveness\n100000,01/09/2025,Exceptional,\n"
    )
    found = read_file("ofsted-inspections", file, academic_year=None)
    assert one(found.frame("inspections"))["kind"] == "report_card"


def test_the_previous_inspection_has_its_own_areas_category_and_safeguarding(tmp_path: Path) -> None:
    text = (
        "URN,Previous graded inspection start date,Previous graded inspection overall effectiveness,"
        "Previous category of concern,Previous quality of education,Previous safeguarding is effective?\n"
        "100000,01/02/2017,4,SWK,4,No\n"
    )
    found = read_file("ofsted-inspections", csv_file(tmp_path, text), academic_year=None)
    row = one(found.frame("inspections"))
    assert (row["category_of_concern"], row["safeguarding"]) == ("serious_weaknesses", "not_effective")
    assert json.loads(row["judgements"]) == {"quality_of_education": "inadequate"}


@pytest.mark.parametrize(
    ("column", "word", "stored"),
    [
        ("Inclusion", "Secure standard", "secure_standard"),
        ("Category of concern", "Causing concern", "causing_concern"),
        ("Safeguarding standards", "Partly met", "partly_met"),
    ],
)
def test_official_words_that_are_not_known_yet_are_kept_as_published(
    tmp_path: Path, column: str, word: str, stored: str
) -> None:
    found, inspection = card(tmp_path, **{column: word})
    assert (column, "unknown_word", 1) in [(w.column, w.code, w.times) for w in found.warnings]
    assert stored in {
        inspection["category_of_concern"], inspection["safeguarding"], *json.loads(inspection["judgements"]).values(),
    }  # fmt: skip


def test_a_column_of_mostly_unknown_words_is_another_one(tmp_path: Path) -> None:
    found = sent(tmp_path, *({**CARD, "URN": str(147000 + n), "Inclusion": "Manchester"} for n in range(12)))
    assert (None, "Inclusion", "column_unrecognised") in codes(found)


URGENT, FINE = "urgent_improvement", "expected_standard"


@pytest.mark.parametrize(
    ("inclusion", "leadership", "safeguarding", "categories"),
    [
        (FINE, FINE, "met", {"none"}),
        ("needs_attention", "needs_attention", "met", {"none"}),
        (URGENT, FINE, "met", {"requires_significant_improvement"}),
        (FINE, FINE, "not_met", {"requires_significant_improvement"}),
        (URGENT, URGENT, "met", {"special_measures"}),
        (FINE, URGENT, "not_met", {"special_measures"}),
        (FINE, URGENT, "met", {"special_measures", "requires_significant_improvement"}),
        (URGENT, None, "met", {"special_measures", "requires_significant_improvement"}),
    ],
)
def test_the_category_follows_from_the_grades(
    inclusion: str, leadership: str | None, safeguarding: str, categories: set[str]
) -> None:
    judgements = {"inclusion": inclusion} | ({"leadership_and_governance": leadership} if leadership else {})
    assert categories_by_grades(judgements, safeguarding) == categories


def test_a_category_that_does_not_follow_from_the_grades_is_kept_and_named_once(tmp_path: Path) -> None:
    urgent = {"Inclusion": "Urgent improvement"}
    rows = [{**CARD, **urgent, "URN": str(147000 + n), "URN at time of latest full inspection": ""} for n in range(16)]
    rows.append({**CARD, "URN": "147999", "URN at time of latest full inspection": "", "Category of concern": "SM"})
    found = sent(tmp_path, *rows)
    assert found.errors == []
    assert [(w.column, w.code) for w in found.warnings] == [("Category of concern", "category_differs")]
    detail = found.warnings[0].detail
    assert "URN 147003 (row 5): published none, by its grades requires significant improvement" in detail
    assert "URN 147999 (row 18): published special measures, by its grades none" in detail
    assert one(found.frame("inspections"), urn=147999)["category_of_concern"] == "special_measures"


@pytest.mark.parametrize(
    "column",
    ["Inspection start date", "Publication date", "Inclusion - date of grade", "Date of latest ungraded inspection"],
)
def test_a_day_that_has_not_come_is_refused(tmp_path: Path, column: str) -> None:
    row = {**CARD, column: "26/11/2026"}
    found = read_file("ofsted-inspections", csv_file(tmp_path, [row]), academic_year=None, today=date(2026, 11, 25))
    assert codes(found) == [(2, column, "day_ahead")]
    assert found.errors[0].detail == "2026-11-26 is in the future: today is 2026-11-25."
    later = read_file("ofsted-inspections", csv_file(tmp_path, [row]), academic_year=None, today=date(2026, 11, 26))
    assert later.is_valid
