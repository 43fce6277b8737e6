"""Inspections: the history of real schools, the layouts of management information, and words that are no
grade."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from academy.imports.formats.cells.grades import read_concern, read_grade, read_safeguarding
from academy.imports.formats.cells.values import Unreadable
from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file, records


def inspect(path: Path) -> WholeReading:
    return read_file("ofsted-inspections", path, academic_year=None)


def judgements(row: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = json.loads(row["judgements"])
    return found


def test_a_history_is_kept_as_published() -> None:
    rows = records("ofsted_ratings_2018.csv")
    found = inspect(Path(__file__).parents[2] / "data" / "ofsted_ratings_2018.csv")
    assert found.is_valid
    keys = {(row["URN"], row["Inspection Date"]) for row in rows}
    assert (found.rows_read, found.rows_accepted, found.rows_ignored) == (len(rows), len(keys), len(rows) - len(keys))
    inspections = found.frame("inspections")
    assert inspections.height == len(keys)
    for row in rows[:200]:
        day = row["Inspection Date"]
        inspection = one(inspections, urn=int(row["URN"]), inspected_on=date(int(day[:4]), int(day[4:6]), int(day[6:])))
        assert inspection["overall_grade"] == row["Rating"].lower().replace(" ", "_")
        assert inspection["kind"] == "overall_grade"
    assert "satisfactory" in set(inspections["overall_grade"]), "a grade until 2012; it is not turned into another"


def test_of_two_inspections_of_one_day_the_first_stands_and_both_rows_are_named() -> None:
    found = inspect(Path(__file__).parents[2] / "data" / "ofsted_ratings_2018.csv")
    repeated = [warning.detail for warning in found.warnings if warning.code == "inspection_repeated"]
    assert len(repeated) == 3
    assert sum("with another grade" in detail for detail in repeated) == 1
    of_that_day = one(found.frame("inspections"), urn=137699, inspected_on=date(2013, 12, 4))
    assert of_that_day["overall_grade"] == "requires_improvement"


LATEST = (
    "URN,School name,Inspection start date,Publication date,Category of concern,Safeguarding standards,Inclusion,"
    "Curriculum and teaching,Achievement,Attendance and behaviour,Personal development and wellbeing,"
    "Early years (where applicable),Post-16 provision (where applicable),Leadership and governance,"
    "Latest OEIF overall effectiveness,Latest OEIF quality of education,"
    "Inspection start date of latest OEIF graded inspection,Publication date of latest OEIF graded inspection,"
    "URN at time of latest OEIF graded inspection,Ungraded inspection overall outcome,"
    "Date of latest ungraded inspection\n"
)


def test_one_row_tells_of_a_report_card_and_of_the_grades_before_it(tmp_path: Path) -> None:
    row = (
        "135874,A,12/01/2026,10/02/2026,NULL,Met,Strong standard,Expected standard,Needs attention,"
        "Urgent improvement,Exceptional,NULL,NULL,Expected standard,2,3,01/02/2019,01/03/2019,119999,"
        "School remains Good,01/03/2023\n"
    )
    found = inspect(csv_file(tmp_path, LATEST + row))
    assert found.is_valid and found.rows_accepted == 1
    inspections = found.frame("inspections")
    card = one(inspections, kind="report_card")
    assert (card["urn"], card["inspected_on"], card["published_on"]) == (135874, date(2026, 1, 12), date(2026, 2, 10))
    assert (card["overall_grade"], card["safeguarding"], card["category_of_concern"]) == (None, "met", None)
    assert judgements(card) == {
        "inclusion": "strong_standard",
        "curriculum_and_teaching": "expected_standard",
        "achievement": "needs_attention",
        "attendance_and_behaviour": "urgent_improvement",
        "personal_development_and_wellbeing": "exceptional",
        "leadership_and_governance": "expected_standard",
    }
    graded = one(inspections, kind="overall_grade")
    assert (graded["urn"], graded["overall_grade"]) == (119999, "good"), "it was the school's before it converted"
    assert judgements(graded) == {"quality_of_education": "requires_improvement"}
    ungraded = one(inspections, kind="ungraded")
    assert (ungraded["overall_grade"], judgements(ungraded)) == (None, {"outcome": "School remains Good"})


def test_a_school_never_inspected_is_passed_over(tmp_path: Path) -> None:
    found = inspect(csv_file(tmp_path, LATEST + "135874,A" + ",NULL" * 19 + "\n"))
    assert found.is_valid
    assert (found.rows_accepted, found.rows_ignored, found.frames) == (0, 1, {})


def test_since_2024_a_graded_inspection_has_no_overall_grade(tmp_path: Path) -> None:
    row = "135874,A" + ",NULL" * 12 + ",Not judged,2,03/10/2024,04/11/2024,NULL,NULL,NULL\n"
    inspection = one(inspect(csv_file(tmp_path, LATEST + row)).frame("inspections"))
    assert inspection["overall_grade"] == "not_judged"
    assert judgements(inspection) == {"quality_of_education": "good"}


def test_the_layout_of_before_2024(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "URN,Inspection start date,Publication date,Overall effectiveness,Category of concern,Quality of education,"
        "Behaviour and attitudes,Safeguarding is effective?,Previous full inspection overall effectiveness,"
        "Previous inspection start date\n"
        "100000,18/04/2023,22/05/2023,4,SM,4,3,No,2,01/02/2017\n100001,18/04/2023,22/05/2023,1,,1,1,Yes,9,NULL\n",
    )
    inspections = inspect(file).frame("inspections")
    newest = one(inspections, urn=100000, inspected_on=date(2023, 4, 18))
    assert (newest["overall_grade"], newest["category_of_concern"]) == ("inadequate", "special_measures")
    assert newest["safeguarding"] == "not_effective"
    assert one(inspections, urn=100000, inspected_on=date(2017, 2, 1))["overall_grade"] == "good"
    assert one(inspections, urn=100001)["overall_grade"] == "outstanding"


@pytest.mark.parametrize(
    ("text", "grade"),
    [
        ("1", "outstanding"), ("4.0", "inadequate"), ("Requires Improvement", "requires_improvement"),
        ("requires improvement", "requires_improvement"), ("Special Measures", "special_measures"),
        ("Serious Weaknesses", "serious_weaknesses"), ("Satisfactory", "satisfactory"), ("Not judged", "not_judged"),
        ("0", "insufficient_evidence"), ("8", None), ("9", None), ("Does not apply", None), ("NULL", None),
        ("", None), ("Expected  standard", "expected_standard"), ("Exceptional", "exceptional"),
    ],
)  # fmt: skip
def test_grades_are_known_by_number_and_by_name(text: str, grade: str | None) -> None:
    assert read_grade(text) == grade


@pytest.mark.parametrize("text", ["5", "Excellent", "=1+1", "met"])
def test_other_words_are_no_grades(text: str) -> None:
    assert isinstance(read_grade(text), Unreadable)


def test_concerns_and_safeguarding_are_known_by_their_words() -> None:
    assert [read_concern(text) for text in ("SM", "SWK", "Serious weaknesses", "NULL", "")] == [
        "special_measures", "serious_weaknesses", "serious_weaknesses", None, None,
    ]  # fmt: skip
    assert isinstance(read_concern("Great"), Unreadable)
    assert [read_safeguarding(text) for text in ("Met", "Not met", "Yes", "N", "9")] == [
        "met", "not_met", "effective", "not_effective", None,
    ]  # fmt: skip
    assert isinstance(read_safeguarding("maybe"), Unreadable)


def test_a_school_that_requires_significant_improvement(tmp_path: Path) -> None:
    text = (
        "URN,Inspection start date,Category of concern,Safeguarding standards,Inclusion\n"
        "900005,02/12/2025,RSI,Not met,Urgent improvement\n900006,1/9/2026,NULL,Met,Expected standard\n"
    )
    found = inspect(csv_file(tmp_path, text))
    assert found.errors == []
    first = one(found.frame("inspections"), urn=900005)
    assert first["category_of_concern"] == "requires_significant_improvement"
    assert (first["safeguarding"], judgements(first)) == ("not_met", {"inclusion": "urgent_improvement"})
    second = one(found.frame("inspections"), urn=900006)
    assert (second["category_of_concern"], second["inspected_on"]) == (None, date(2026, 9, 1)), "day/month"


def test_special_measures_as_a_grade_are_a_category_too(tmp_path: Path) -> None:
    found = inspect(csv_file(tmp_path, "URN,Rating,Inspection Date\n100000,Special Measures,20130418\n"))
    row = one(found.frame("inspections"))
    assert (row["overall_grade"], row["category_of_concern"]) == ("special_measures", "special_measures")


def test_faults_are_told_with_their_rows(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "URN,Rating,Inspection Date\n100000,Good,20130431\n100001,7,20130418\n,Good,20130418\n100003,Good,\n",
    )
    found = inspect(file)
    assert codes(found) == [
        (2, "Inspection start date", "not_a_date"),
        (3, "Overall effectiveness", "not_a_grade"),
        (4, "URN", "urn_missing"),
        (5, "Inspection start date", "value_missing"),
    ]
    assert not found.frames


def test_a_table_without_days_or_without_urns_is_refused(tmp_path: Path) -> None:
    assert ("column_missing" in {c for _, _, c in codes(inspect(csv_file(tmp_path, "URN,Rating\n1,Good\n")))}) is True
    nothing = inspect(csv_file(tmp_path, "a,b\n1,2\n"))
    assert {column for _, column, _ in codes(nothing)} == {"URN", "Inspection start date"}
