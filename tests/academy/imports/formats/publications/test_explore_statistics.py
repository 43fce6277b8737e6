"""Tables of Explore education statistics: real attendance, and the layouts of results and absence since
2022/23."""

from pathlib import Path

import pytest

from tests.academy.imports.formats.tables import codes, csv_file, number, one, read_file, reading, records

ATTENDANCE = {
    "attendance.overall_percent": "attendance_perc",
    "attendance.absence_percent": "overall_absence_perc",
    "attendance.authorised_absence_percent": "authorised_absence_perc",
    "attendance.unauthorised_absence_percent": "unauthorised_absence_perc",
    "attendance.persistent_absence_percent": "pa_perc",
}


@pytest.mark.parametrize(
    ("name", "year", "period", "phase_column"),
    [
        ("attendance_202425_aut.csv", "2024/25", "autumn", "school_type"),
        ("attendance_202425_ytd.csv", "2024/25", "year", "school_type"),
        ("attendance_202526_ytd.csv", "2025/26", "year", "education_phase"),
    ],
)
def test_attendance_of_areas_is_read_from_either_name_of_the_phase(
    name: str, year: str, period: str, phase_column: str
) -> None:
    rows = records(name)
    found = reading("dfe-attendance", name)
    assert found.rows_accepted == found.comparison_rows == len(rows), "there are areas only: those are accepted"
    figures = found.frame("comparison_figures")
    assert found.source.endswith(year)
    assert set(figures["period"]) == {period} and set(figures["academic_year"]) == {year}
    told = {(r["area"], r["area_code"], r["phase"], r["measure"]): r for r in figures.iter_rows(named=True)}
    checked = 0
    for row in rows:
        area, code = {
            "National": ("england", row["country_code"]),
            "Regional": ("region", row["region_code"]),
            "Local authority": ("la", row["old_la_code"]),
        }[row["geographic_level"]]
        phase = {"Total": "all"}.get(row[phase_column], row[phase_column].lower())
        for measure, column in ATTENDANCE.items():
            figure = told[area, code, phase, measure]
            assert figure["value"] == number(row[column])
            assert figure["reason"] == ("suppressed" if row[column] == "c" else None)
            checked += 1
    assert checked == figures.height
    assert "suppressed" in figures["reason"].to_list()


def test_the_whole_year_is_not_the_average_of_its_terms() -> None:
    def persistent(name: str) -> float:
        figures = reading("dfe-attendance", name).frame("comparison_figures")
        row = one(figures, area="england", phase="secondary", measure="attendance.persistent_absence_percent")
        return float(row["value"])

    assert round(persistent("attendance_202425_aut.csv"), 1) == 22.5
    assert round(persistent("attendance_202425_ytd.csv"), 1) == 24.3


def test_a_part_of_a_year_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    rows = records("attendance_202526_ytd.csv")
    for row in rows:
        sessions = number(row["possible_sessions"])
        row["possible_sessions"] = "c" if sessions is None else str(sessions * 0.7)
    found = read_file("dfe-attendance", csv_file(tmp_path, rows), academic_year=None)
    assert found.is_valid
    assert set(found.frame("comparison_figures")["period"]) == {"year_to_date"}
    assert "part_year" in {warning.code for warning in found.warnings}


KS4_KEYS = (
    "time_period,time_identifier,geographic_level,country_code,region_code,old_la_code,school_urn,version,"
    "establishment_type_group,breakdown_topic,breakdown,sex,disadvantage_status,"
)
KS4_2024_25 = (
    KS4_KEYS + "pupil_count,attainment8_average,engmath_95_percent,engmath_94_percent,ebacc_entering_percent,"
    "ebacc_aps_average,progress8_pupil_count,progress8_average,progress8_lower_95_ci,progress8_upper_95_ci\n"
)
KS4_2023_24 = (
    KS4_KEYS + "t_pupils,avg_att8,pt_l2basics_95,pt_l2basics_94,pt_ebacc_e_ptq_ee,avg_ebaccaps,t_inp8calc,avg_p8score,"
    "p8score_ci_low,p8score_ci_upp\n"
)
SCHOOL = "Academic year,School,E92000001,,352,135874,Final,Sponsor led academies"
KS4_ROWS = (
    f"202324,{SCHOOL},Total,Total,Total,Total,183,46.4,47.7,69.1,30.5,4.1,170,-0.07,-0.29,0.15\n"
    f"202324,{SCHOOL},Sex,Boys,Boys,Total,90,44.4,43.3,68.9,28,4.0,85,-0.2,-0.5,0.1\n"
    f"202324,{SCHOOL},Disadvantage status,Disadvantaged,Total,Disadvantaged,80,40,35,60,20,3.5,75,-0.4,-0.7,-0.1\n"
    f"202324,{SCHOOL},Disadvantage status,Not known to be disadvantaged,Total,x,4,c,c,c,c,c,c,c,c,c\n"
    f"202324,{SCHOOL},Sex and disadvantage,Disadvantaged,Boys,Disadvantaged,40,40,35,60,20,3.5,75,-0.4,-0.7,-0.1\n"
    f"202425,{SCHOOL},Total,Total,Total,Total,180,46.1,48.0,69.5,31,4.2,z,z,z,z\n"
)


@pytest.mark.parametrize("header", [KS4_2023_24, KS4_2024_25], ids=["2022/23 to 2023/24", "since 2024/25"])
def test_school_level_results_are_read_under_either_set_of_names(tmp_path: Path, header: str) -> None:
    found = read_file("dfe-ks4", csv_file(tmp_path, header + KS4_ROWS), academic_year="2024/25")
    assert found.is_valid
    assert (found.rows_read, found.rows_accepted, found.rows_ignored) == (6, 5, 1), "two breakdowns at once: left out"
    figures = found.frame("observations")
    row = one(figures, measure="ks4.progress_8", pupil_group="all", academic_year="2023/24")
    assert (row["urn"], row["value"], row["lower"], row["upper"], row["cohort"]) == (135874, -0.07, -0.29, 0.15, 170)
    boys = one(figures, measure="ks4.attainment_8", pupil_group="boys")
    assert (boys["value"], boys["cohort"], boys["academic_year"]) == (44.4, 90, "2023/24")
    assert one(figures, measure="ks4.ebacc_entry_percent", pupil_group="disadvantaged")["value"] == 20.0
    assert one(figures, measure="ks4.attainment_8", pupil_group="not_disadvantaged")["reason"] == "suppressed"
    this_year = one(figures, measure="ks4.progress_8", academic_year="2024/25")
    assert (this_year["value"], this_year["reason"]) == (None, "not_published")
    assert one(figures, measure="ks4.english_maths_grade_5_percent", academic_year="2024/25")["value"] == 48.0


def test_area_level_results_are_comparison_figures_of_state_funded_or_all_schools(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "time_period,time_identifier,geographic_level,country_code,region_code,old_la_code,establishment_type_group,"
        "breakdown_topic,breakdown,pupil_count,attainment8_average,progress8_average\n"
        "202324,Academic year,National,E92000001,,,All state-funded,Total,Total,600000,45.9,-0.03\n"
        "202324,Academic year,National,E92000001,,,All schools,Total,Total,650000,46.1,z\n"
        "202324,Academic year,National,E92000001,,,Converter academies,Total,Total,300000,48,0.1\n"
        "202324,Academic year,Regional,E92000001,E12000002,,All state-funded,Total,Total,80000,44,-0.2\n"
        "202324,Academic year,Local authority,E92000001,E12000002,352,All state-funded,Sex,Girls,3000,47,0.1\n",
    )
    found = read_file("dfe-ks4", file, academic_year="2023/24")
    assert (found.rows_accepted, found.rows_ignored, found.comparison_rows) == (4, 1, 4)
    figures = found.frame("comparison_figures").filter(measure="ks4.attainment_8")
    assert one(figures, area="england", sector="state_funded")["value"] == 45.9
    assert one(figures, area="england", sector="all")["value"] == 46.1
    assert one(figures, area="region")["area_code"] == "E12000002"
    girls = one(figures, area="la")
    assert (girls["area_code"], girls["pupil_group"]) == ("352", "girls")


KS2_HEADER = (
    "time_period,time_identifier,geographic_level,country_code,version,school_urn,breakdown_topic,breakdown,subject,"
    "expected_standard_pupil_percent,higher_standard_pupil_percent,average_scaled_score,progress_measure_score,"
    "progress_measure_lower_conf_interval,progress_measure_upper_conf_interval,progress_measure_description\n"
)


def test_key_stage_2_has_a_row_a_subject(tmp_path: Path) -> None:
    school = "Academic year,School,E92000001,Final,115851"
    file = csv_file(
        tmp_path,
        KS2_HEADER + f'202223,{school},All pupils,Total,"Reading, writing and maths",61,8,z,z,z,z,z\n'
        f"202223,{school},All pupils,Total,Reading,70,25,104,1.2,-0.3,2.7,3\n"
        f"202223,{school},All pupils,Total,Writing,72,10,z,-1.2,-2.3,-0.1,Below average\n"
        f"202425,{school},All pupils,Total,Maths,71,c,103,z,z,z,z\n"
        f"202425,{school},Average (2023 to 2025),3 year average,Maths,70,20,103,z,z,z,z\n"
        f"202425,{school},First language,Known or believed to be other than English,Maths,65,20,102,z,z,z,z\n"
        f"202425,{school},All pupils,Total,Science,80,z,z,z,z,z,z\n",
    )
    found = read_file("dfe-ks2", file, academic_year="2024/25")
    assert found.is_valid
    assert (found.rows_accepted, found.rows_ignored) == (5, 2), "three-year averages and science aren't read"
    figures = found.frame("observations")
    assert one(figures, measure="ks2.rwm_expected_percent")["value"] == 61.0
    reading_progress = one(figures, measure="ks2.reading_progress")
    assert (reading_progress["value"], reading_progress["published_band"]) == (1.2, "average")
    assert one(figures, measure="ks2.writing_progress")["published_band"] == "below_average"
    maths = one(figures, measure="ks2.maths_progress", pupil_group="all")
    assert (maths["academic_year"], maths["reason"]) == ("2024/25", "not_published")
    assert one(figures, measure="ks2.maths_higher_percent", pupil_group="all")["reason"] == "suppressed"
    assert one(figures, measure="ks2.maths_expected_percent", pupil_group="eal")["value"] == 65.0
    assert figures.filter(measure="ks2.writing_scaled_score").is_empty()


def test_absence_of_schools_and_of_areas(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "time_period,time_identifier,geographic_level,region_code,old_la_code,education_phase,school_urn,enrolments,"
        "sess_overall_percent,sess_authorised_percent,sess_unauthorised_percent,enrolments_pa_10_exact_percent,"
        "enrolments_pa_50_exact_percent\n"
        "202425,Academic year,School,E12000002,352,State-funded secondary,135874,964,9.1,5.4,3.7,26.4,3.1\n"
        "202425,Autumn term,School,E12000002,352,Special,141805,180,13.2,11,2.2,36.6,low\n"
        "202425,Academic year,National,,,State-funded secondary,z,3000000,8.9,5.4,3.5,25.6,2.3\n"
        "202425,Academic year,National,,,State-funded nursery,z,3000,8.9,5.4,3.5,25.6,2.3\n",
    )
    found = read_file("dfe-absence", file, academic_year="2024/25")
    assert found.is_valid
    assert (found.rows_accepted, found.rows_ignored, found.comparison_rows) == (2, 2, 1)
    figures = found.frame("observations")
    whole_year = one(figures, urn=135874, measure="absence.persistent_percent")
    assert (whole_year["value"], whole_year["period"], whole_year["cohort"]) == (26.4, "year", 964)
    severe = one(figures, urn=141805, measure="absence.severe_percent")
    assert (severe["period"], severe["reason"]) == ("autumn", "rounds_to_zero")
    assert one(found.frame("comparison_figures"), measure="absence.overall_percent")["phase"] == "secondary"


def test_the_year_said_with_a_file_must_be_among_its_own(tmp_path: Path) -> None:
    file = csv_file(tmp_path, KS4_2024_25 + KS4_ROWS)
    found = read_file("dfe-ks4", file, academic_year="2021/22")
    assert codes(found) == [(None, "time_period", "academic_year_differs")]
    assert "2023/24, 2024/25" in found.errors[0].detail


def test_a_file_of_several_years_says_that_it_is_not_of_the_one_alone(tmp_path: Path) -> None:
    file = csv_file(tmp_path, KS4_2024_25 + KS4_ROWS)
    found = read_file("dfe-ks4", file, academic_year="2023/24", latest_year="2024/25")
    assert found.is_valid
    assert [w.detail for w in found.warnings if w.code == "academic_years_several"] == [
        "The file is about 2023/24, 2024/25, not only about 2023/24; each row names its year, and all are kept."
    ]


def test_years_that_have_not_begun_are_refused(tmp_path: Path) -> None:
    file = csv_file(tmp_path, KS4_2024_25 + KS4_ROWS)
    found = read_file("dfe-ks4", file, academic_year="2023/24", latest_year="2023/24")
    assert {(column, code) for _, column, code in codes(found)} == {("time_period", "academic_year_ahead")}


def test_progress_8_of_a_year_without_it_is_refused(tmp_path: Path) -> None:
    rows = KS4_ROWS.replace("202324", "202526")
    found = read_file("dfe-ks4", csv_file(tmp_path, KS4_2024_25 + rows), academic_year=None)
    assert {code for _, _, code in codes(found)} == {"not_published_then"}


def test_a_term_may_be_published_without_its_year(tmp_path: Path) -> None:
    header = "time_period,time_identifier,geographic_level,school_urn,enrolments,sess_overall_percent\n"
    term = csv_file(tmp_path, header + "201920,Autumn term,School,135874,964,5.1\n")
    assert read_file("dfe-absence", term, academic_year="2019/20").is_valid
    year = csv_file(tmp_path, header + "201920,Academic year,School,135874,964,5.1\n")
    assert codes(read_file("dfe-absence", year, academic_year="2019/20")) == [
        (2, "sess_overall_percent", "not_published_then")
    ]


def test_faults_of_such_a_table_are_told_with_their_rows(tmp_path: Path) -> None:
    rows = KS4_ROWS.splitlines(keepends=True)
    rows[0] = rows[0].replace("202324", "202325")
    rows[1] = rows[1].replace("135874", "abc")
    rows[2] = rows[2].replace(",40,35,", ",4O,35,")
    found = read_file("dfe-ks4", csv_file(tmp_path, KS4_2024_25 + "".join([*rows, rows[5]])), academic_year=None)
    assert set(codes(found)) == {
        (2, "time_period", "not_an_academic_year"),
        (3, "school_urn", "not_a_number"),
        (4, "attainment8_average", "not_a_number"),
        (8, None, "key_repeated"),
    }
    assert not found.frames


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "time_period,geographic_level,apples\n202324,National,3\n")
    for kind in ("dfe-ks4", "dfe-ks2", "dfe-absence", "dfe-attendance"):
        found = read_file(kind, file, academic_year="2023/24")
        assert {code for _, _, code in codes(found)} == {"column_missing"}, kind
        assert found.rows_read == 0


def test_a_school_without_a_urn_column_is_told(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "time_period,geographic_level,attainment8_average\n202324,School,45\n")
    assert codes(read_file("dfe-ks4", file, academic_year="2023/24")) == [(2, "school_urn", "urn_missing")]
