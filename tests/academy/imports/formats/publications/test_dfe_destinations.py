"""Destinations of leavers, in the performance tables, the files and the data sets of Explore education statistics."""

from pathlib import Path

import pytest

from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file

YEAR = "2022/23"


def sent(folder: Path, text: str) -> WholeReading:
    found = read_file("dfe-ks4", csv_file(folder, text), academic_year=YEAR)
    assert found.errors == []
    return found


@pytest.mark.parametrize(
    ("stage", "header"),
    [
        ("ks4", "COHORT,OVERALL_DESTPER,EDUCATIONPER,EMPLOYMENTPER,APPRENPER,COHORT_DIS,OVERALL_DESTPER_DIS"),
        (
            "ks5",
            "TOT_COHORT,TOT_OVERALLPER,TOT_EDUCATIONPER,TOT_EMPLOYMENTPER,TOT_APPRENPER,TOT_COHORT_DIS,TOT_OVERALLPER_DIS",
        ),
    ],
)
@pytest.mark.parametrize(("la", "england"), [("LA", "NAT"), ("4", "7")])
def test_the_performance_table_has_schools_and_areas(
    tmp_path: Path, stage: str, header: str, la: str, england: str
) -> None:
    text = (
        f"RECTYPE,LEA,URN,{header}\n"
        "1,352,135874,180,92%,85%,4%,3%,98,SUPP\n"
        "1,352,135875,0,0%,0%,0%,0%,0,0%\n"
        f"{la},352,,5000,90%,84%,4%,2%,2000,86%\n"
        f"{england},,,588000,93%,86%,4%,3%,160000,87%\n"
    )
    found = sent(tmp_path, text)
    rows = found.frame("observations")
    overall = one(rows, urn=135874, measure=f"{stage}.destinations_percent", pupil_group="all")
    assert (overall["value"], overall["cohort"], overall["academic_year"]) == (92.0, 180, YEAR)
    assert one(rows, urn=135874, measure=f"{stage}.destinations_apprenticeship_percent")["value"] == 3.0
    assert one(rows, urn=135874, pupil_group="disadvantaged")["reason"] == "suppressed"
    assert set(rows.filter(urn=135875)["reason"]) == {"not_counted"}
    areas = found.frame("comparison_figures").filter(measure=f"{stage}.destinations_percent", pupil_group="all")
    assert dict(areas.select("area", "value").rows()) == {"la": 90.0, "england": 93.0}


FILE = (
    "time_period,time_identifier,geographic_level,old_la_code,school_urn,institution_type,breakdown_topic,breakdown,"
    "data_type,cohort,overall,education,appren,all_work{more}\n"
)


@pytest.mark.parametrize(("stage", "more"), [("ks4", ""), ("ks5", ",cohort_level_group")])
def test_a_file_of_explore_education_statistics_has_percentages_beside_numbers(
    tmp_path: Path, stage: str, more: str
) -> None:
    total, level2 = (",Total", ",Level 2") if more else ("", "")
    text = (
        FILE.format(more=more)
        + f"202223,Academic year,School,352,135874,Academy,Total,Total,Percentage,180,92.1,85,3.2,4{total}\n"
        + f"202223,Academic year,School,352,135874,Academy,Total,Total,Number of pupils,180,166,153,6,7{total}\n"
        + "202223,Academic year,School,352,135874,Academy,Disadvantage status,Disadvantaged,"
        + f"Percentage,98,c,c,c,c{total}\n"
        + f"202223,Academic year,National,,,Total,Total,Total,Percentage,588000,93.5,86,3,4.5{total}\n"
        + f"202223,Academic year,National,,,Special,Total,Total,Percentage,9000,80,76,1,3{total}\n"
    )
    if more:
        text += f"202223,Academic year,School,352,135874,Academy,Total,Total,Percentage,20,70,60,5,5{level2}\n"
    found = sent(tmp_path, text)
    rows = found.frame("observations")
    row = one(rows, measure=f"{stage}.destinations_percent", pupil_group="all")
    assert (row["urn"], row["value"], row["cohort"]) == (135874, 92.1, 180)
    assert one(rows, measure=f"{stage}.destinations_employment_percent", pupil_group="all")["value"] == 4.0
    assert set(rows.filter(pupil_group="disadvantaged")["reason"]) == {"suppressed"}
    area = one(found.frame("comparison_figures"), measure=f"{stage}.destinations_percent")
    assert (area["area"], area["value"]) == ("england", 93.5)


DATA_SET = (
    "time_period,time_identifier,geographic_level,school_urn,sex,ethnicity_major,disadvantage_status,breakdown_topic,"
    "breakdown,destination_group,destination_description,cohort_count,pupil_count,pupil_percent\n"
)


@pytest.mark.parametrize("stage", ["ks4", "ks5"])
def test_a_data_set_has_a_row_for_each_destination(tmp_path: Path, stage: str) -> None:
    start = "202223,Academic year,School,135874"
    overall = 'Overall destination,"Sustained education, employment & apprenticeships"'
    text = (DATA_SET if stage == "ks4" else DATA_SET.replace("\n", ",cohort_level_group\n")) + "".join(
        f"{start},{sex},Total,{status},Total,Total,{destination},180,100,{value}{',Total' if stage == 'ks5' else ''}\n"
        for sex, status, destination, value in (
            ("Total", "Total", overall, "92.1"),
            ("Girls", "Total", overall, "95"),
            ("Total", "Disadvantaged", overall, "88"),
            ("Total", "Total", "Headline destinations,Sustained apprenticeships", "low"),
            ("Total", "Total", "Headline destinations,Sustained employment destination", "4"),
            ("Total", "Total", "Headline destinations,Activity not captured", "1"),
        )
    )
    rows = sent(tmp_path, text).frame("observations")
    figures = rows.select("measure", "pupil_group", "value", "reason").sort("measure", "pupil_group").rows()
    assert figures == [
        (f"{stage}.destinations_apprenticeship_percent", "all", None, "rounds_to_zero"),
        (f"{stage}.destinations_employment_percent", "all", 4.0, None),
        (f"{stage}.destinations_percent", "all", 92.1, None),
        (f"{stage}.destinations_percent", "disadvantaged", 88.0, None),
    ]


def test_results_and_destinations_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    text = "RECTYPE,URN,ATT8SCR,OVERALL_DESTPER\n1,100000,45,92%\n"
    found = read_file("dfe-ks4", csv_file(tmp_path, text), academic_year=YEAR)
    assert found.errors == []
    assert set(found.frame("observations").drop_nulls("value")["measure"]) == {"ks4.attainment_8"}
    assert [warning.column for warning in found.warnings] == ["OVERALL_DESTPER"], "a file of its own has destinations"


def test_a_school_without_a_urn_is_refused(tmp_path: Path) -> None:
    text = "time_period,geographic_level,data_type,overall,education\n202223,School,Percentage,90,80\n"
    found = read_file("dfe-ks4", csv_file(tmp_path, text), academic_year=YEAR)
    assert codes(found) == [(2, "school_urn", "urn_missing")]
