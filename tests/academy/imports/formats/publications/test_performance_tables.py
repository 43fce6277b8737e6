"""The wide tables of real schools, against an independent reading of the same files with the csv module."""

from pathlib import Path

import polars as pl
import pytest

from academy.imports.formats.reading import SCHEMAS
from academy.observations.rules import progress_band
from tests.academy.imports.formats.tables import DATA, codes, count, csv_file, number, one, read_file, reading, records

REASONS = {
    "SUPP": "suppressed",
    "NE": "no_entries",
    "NP": "not_published",
    "NA": "not_applicable",
    "": "not_available",
    "LOWCOV": "low_coverage",
}

KS4 = [
    ("ks4_2016-2017_850_ks4final.csv", "2016/17"),
    ("ks4_2017-2018_850_ks4final.csv", "2017/18"),
    ("ks4_2018-2019_england.csv", "2018/19"),
    ("ks4_2023-2024_919_headline.csv", "2023/24"),
]
KS4_COLUMNS = {
    ("ks4.progress_8", "all"): "P8MEA",
    ("ks4.progress_8", "disadvantaged"): "P8MEA_FSM6CLA1A",
    ("ks4.progress_8", "boys"): "P8MEA_BOYS",
    ("ks4.progress_8", "prior_low"): "P8MEA_LO",
    ("ks4.progress_8_english", "all"): "P8MEAENG",
    ("ks4.progress_8_coverage_percent", "all"): "P8MEACOV",
    ("ks4.attainment_8", "all"): "ATT8SCR",
    ("ks4.attainment_8", "disadvantaged"): "ATT8SCR_FSM6CLA1A",
    ("ks4.attainment_8", "not_disadvantaged"): "ATT8SCR_NFSM6CLA1A",
    ("ks4.english_maths_grade_5_percent", "all"): "PTL2BASICS_95",
    ("ks4.english_maths_grade_4_percent", "all"): "PTL2BASICS_94",
    ("ks4.english_maths_grade_4_percent", "disadvantaged"): "PTFSM6CLA1ABASICS_94",
    ("ks4.english_maths_grade_5_percent", "boys"): "PBL2BASICS_95",
    ("ks4.ebacc_average_point_score", "all"): "EBACCAPS",
    ("ks4.ebacc_average_point_score", "girls"): "EBACCAPS_GIRLS",
    ("ks4.ebacc_entry_percent", "all"): "PTEBACC_E_PTQ_EE",
    ("ks4.ebacc_entry_percent", "disadvantaged"): "PTEBACC_EFSM6CLA1A_PTQ_EE",
}
KS2 = [
    ("ks2_2016-2017_850.csv", "2016/17"),
    ("ks2_2017-2018_850.csv", "2017/18"),
    ("ks2_2018-2019_850.csv", "2018/19"),
    ("ks2_2018-2019_england.csv", "2018/19"),
]
KS2_COLUMNS = {
    ("ks2.rwm_expected_percent", "all"): "PTRWM_EXP",
    ("ks2.rwm_expected_percent", "disadvantaged"): "PTRWM_EXP_FSM6CLA1A",
    ("ks2.rwm_expected_percent", "not_disadvantaged"): "PTRWM_EXP_NotFSM6CLA1A",
    ("ks2.rwm_higher_percent", "all"): "PTRWM_HIGH",
    ("ks2.reading_progress", "all"): "READPROG",
    ("ks2.reading_progress", "boys"): "READPROG_B",
    ("ks2.writing_progress", "all"): "WRITPROG",
    ("ks2.maths_progress", "disadvantaged"): "MATPROG_FSM6CLA1A",
    ("ks2.reading_scaled_score", "all"): "READ_AVERAGE",
    ("ks2.gps_scaled_score", "all"): "GPS_AVERAGE",
    ("ks2.writing_expected_percent", "all"): "PTWRITTA_EXP",
}


@pytest.mark.parametrize(
    ("kind", "name", "year", "columns"),
    [("dfe-ks4", *file, KS4_COLUMNS) for file in KS4] + [("dfe-ks2", *file, KS2_COLUMNS) for file in KS2],
    ids=[name for name, _ in KS4 + KS2],
)
def test_every_school_has_what_its_row_says(
    kind: str, name: str, year: str, columns: dict[tuple[str, str], str]
) -> None:
    rows = records(name)
    schools = {int(row["URN"]): row for row in rows if row["RECTYPE"] in ("1", "2")}
    found = reading(kind, name, year)
    assert found.rows_read == len(rows)
    assert found.rows_accepted == len(schools)
    assert found.rows_ignored == found.comparison_rows == len(rows) - len(schools)
    figures = found.frame("observations")
    assert dict(figures.schema) == dict(SCHEMAS["observations"])
    assert figures["academic_year"].unique().to_list() == [year]
    assert figures["period"].unique().to_list() == ["year"]
    told = {(row["urn"], row["measure"], row["pupil_group"]): row for row in figures.iter_rows(named=True)}
    checked = 0
    for (measure, group), column in columns.items():
        if column not in rows[0]:
            assert not any(key[1:] == (measure, group) for key in told)
            continue
        for urn, row in schools.items():
            figure = told[urn, measure, group]
            assert figure["value"] == number(row[column]), (urn, column, row[column])
            if figure["value"] is None:
                assert figure["reason"] == REASONS[row[column].strip()]
                assert figure["lower"] is figure["upper"] is figure["published_band"] is None
            else:
                assert figure["reason"] is None
            checked += 1
    assert checked >= 5 * len(schools) or name.endswith("england.csv") or "headline" in name


def test_a_figure_has_its_interval_cohort_and_published_band() -> None:
    figures = reading("dfe-ks4", "ks4_2017-2018_850_ks4final.csv", "2017/18").frame("observations")
    row = one(figures, urn=137315, measure="ks4.progress_8", pupil_group="all")
    assert (row["value"], row["lower"], row["upper"], row["cohort"]) == (0.02, -0.23, 0.26, 104)
    assert row["published_band"] == "average"
    attainment = one(figures, urn=137315, measure="ks4.attainment_8", pupil_group="all")
    assert (attainment["value"], attainment["cohort"], attainment["lower"]) == (44.0, 107, None)


def test_a_text_band_reads_as_a_number_does() -> None:
    figures = reading("dfe-ks4", "ks4_2023-2024_919_headline.csv", "2023/24").frame("observations")
    row = one(figures, urn=145430, measure="ks4.progress_8")
    assert (row["value"], row["published_band"]) == (-0.97, "well_below_average")
    assert one(figures, urn=117600, measure="ks4.progress_8")["reason"] == "not_published"
    assert one(figures, urn=145430, measure="ks4.english_maths_grade_4_percent")["value"] == 32.0


@pytest.mark.parametrize(("kind", "name", "year"), [("dfe-ks4", *KS4[1]), ("dfe-ks2", *KS2[1]), ("dfe-ks2", *KS2[2])])
def test_published_bands_agree_with_the_rule(kind: str, name: str, year: str) -> None:
    figures = reading(kind, name, year).frame("observations").filter(pl.col("published_band").is_not_null())
    assert figures.height > 70
    for row in figures.iter_rows(named=True):
        assert progress_band(row["measure"], year, row["value"], row["lower"], row["upper"]) == row["published_band"]


def test_records_of_england_and_of_an_authority_are_comparison_figures() -> None:
    found = reading("dfe-ks4", "ks4_2017-2018_850_ks4final.csv", "2017/18")
    assert found.comparison_rows == 3
    figures = found.frame("comparison_figures").filter(pupil_group="all")
    for area, area_code, sector, value in (
        ("england", "E92000001", "state_funded", 46.5),
        ("england", "E92000001", "all", 44.5),
        ("la", "850", "state_funded", 47.2),
    ):
        row = one(figures, area=area, sector=sector, measure="ks4.attainment_8")
        assert (row["area_code"], row["value"], row["phase"]) == (area_code, value, "all")
    assert figures.filter(area="england", sector="all", measure="ks4.progress_8").is_empty(), "its cell is empty"


def test_at_key_stage_2_the_records_are_numbered_otherwise() -> None:
    figures = (
        reading("dfe-ks2", "ks2_2018-2019_850.csv", "2018/19")
        .frame("comparison_figures")
        .filter(measure="ks2.rwm_expected_percent", pupil_group="all")
    )
    assert one(figures, area="england", sector="all")["value"] == 65.0
    assert one(figures, area="england", sector="state_funded")["value"] == 65.0
    assert one(figures, area="la")["area_code"] == "850"
    higher = (
        reading("dfe-ks2", "ks2_2018-2019_850.csv", "2018/19")
        .frame("comparison_figures")
        .filter(measure="ks2.rwm_higher_percent", area="england", sector="all", pupil_group="all")
    )
    assert one(higher)["value"] == 11.0


def test_the_census_has_schools_and_england_by_phase() -> None:
    rows = records("census_2022-2023_england.csv")
    found = reading("dfe-census", "census_2022-2023_england.csv", "2022/23")
    assert (found.rows_accepted, found.comparison_rows) == (len(rows) - 3, 3)
    figures = found.frame("observations")
    for row in rows:
        if row["URN"] == "NAT":
            continue
        for measure, column in (("pupils", "NOR"), ("eal_percent", "PNUMEAL"), ("fsm_ever6_percent", "PNUMFSMEVER"),
                                ("sen_support_percent", "PSENELK"), ("ehc_plan_percent", "PSENELSE")):  # fmt: skip
            figure = one(figures, urn=int(row["URN"]), measure=f"census.{measure}")
            divisor = row["NORFSMEVER" if measure == "fsm_ever6_percent" else "NOR"]
            if divisor == "0" and measure != "pupils" and number(row[column]) == 0:
                assert (figure["value"], figure["reason"]) == (None, "not_counted")
                continue
            assert figure["value"] == number(row[column])
            assert (figure["reason"] == "not_applicable") == (row[column] == "NA")
    england = found.frame("comparison_figures").filter(measure="census.fsm_ever6_percent")
    assert dict(england.select("phase", "value").rows()) == {"primary": 25.9, "secondary": 27.1, "special": 50.1}


def test_absence_has_schools_the_authority_and_england_by_phase() -> None:
    rows = records("absence_2023-2024_919.csv")
    found = reading("dfe-absence", "absence_2023-2024_919.csv", "2023/24")
    assert (found.rows_read, found.rows_accepted, found.rows_ignored, found.comparison_rows) == (161, 155, 6, 6)
    figures = found.frame("observations")
    for row in rows:
        if row["URN"]:
            urn = int(row["URN"])
            assert one(figures, urn=urn, measure="absence.overall_percent")["value"] == number(row["PERCTOT"])
            assert one(figures, urn=urn, measure="absence.persistent_percent")["value"] == number(row["PPERSABS10"])
    areas = found.frame("comparison_figures").filter(measure="absence.persistent_percent")
    assert {(r["area"], r["area_code"], r["phase"]): r["value"] for r in areas.iter_rows(named=True)} == {
        ("la", "919", "primary"): 13.4, ("la", "919", "secondary"): 22.8, ("la", "919", "special"): 36.6,
        ("england", "E92000001", "primary"): 14.6, ("england", "E92000001", "secondary"): 25.6,
        ("england", "E92000001", "special"): 37.2,
    }  # fmt: skip


def test_schools_of_other_record_types_are_passed_over(tmp_path: Path) -> None:
    rows = [{"RECTYPE": kind, "URN": "100000", "LEA": "", "ATT8SCR": "50"} for kind in ("1", "3", "6", "4", "", "x")]
    found = read_file("dfe-ks4", csv_file(tmp_path, rows), academic_year="2018/19")
    assert (found.rows_accepted, found.rows_ignored, found.comparison_rows) == (1, 5, 0)
    assert found.is_valid, "an authority without its number is no fault, only of no use"


@pytest.mark.parametrize(
    ("kind", "year", "header", "expected"),
    [
        ("dfe-ks4", "2024/25", "RECTYPE,URN,ATT8SCR", {"ks4.progress_8": "not_published"}),
        ("dfe-ks4", "2018/19", "RECTYPE,URN,ATT8SCR", {}),
        ("dfe-ks2", "2023/24", "RECTYPE,URN,PTRWM_EXP", {"ks2.reading_progress": "not_published"}),
        ("dfe-ks2", "2022/23", "RECTYPE,URN,PTRWM_EXP", {}),
    ],
)
def test_a_column_that_the_year_has_not_got_says_nothing_or_not_published(
    tmp_path: Path, kind: str, year: str, header: str, expected: dict[str, str]
) -> None:
    found = read_file(kind, csv_file(tmp_path, f"{header}\n1,100000,45\n"), academic_year=year)
    told = {row["measure"]: row["reason"] for row in found.frame("observations").iter_rows(named=True) if row["reason"]}
    assert {measure: told.get(measure) for measure in expected} == expected
    assert bool(told) == bool(expected)


@pytest.mark.parametrize("cell", ["", " ", "z", "NA", "na"])
def test_a_blank_in_a_year_without_progress_8_says_not_published(tmp_path: Path, cell: str) -> None:
    file = csv_file(tmp_path, f"RECTYPE,URN,P8MEA,ATT8SCR\n1,100000,{cell},44.1\n")
    found = read_file("dfe-ks4", file, academic_year="2024/25").frame("observations")
    assert one(found, measure="ks4.progress_8")["reason"] == "not_published"
    assert one(found, measure="ks4.attainment_8")["value"] == 44.1


def test_a_reason_that_the_file_gives_stands_also_in_such_a_year(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "RECTYPE,URN,P8MEA\n1,100000,SUPP\n")
    found = read_file("dfe-ks4", file, academic_year="2024/25").frame("observations")
    assert one(found, measure="ks4.progress_8")["reason"] == "suppressed"


def test_a_file_of_another_kind_is_refused_and_what_is_missing_is_named(tmp_path: Path) -> None:
    file = csv_file(tmp_path, [records("ks2_2017-2018_850.csv")[0]])
    found = read_file("dfe-ks4", file, academic_year="2017/18")
    assert not found.is_valid and not found.frames
    # All in one sentence, said once.
    (missing,) = [error for error in found.errors if "None of the figures is there" in error.detail]
    assert missing.code == "column_missing"
    assert all(name in missing.detail for name in ("P8MEA", "ATT8SCR", "PTL2BASICS_95"))
    nothing = read_file("dfe-ks4", csv_file(tmp_path, "a,b\n1,2\n"), academic_year="2017/18")
    assert {"RECTYPE", "URN"} <= {column for _, column, _ in codes(nothing)}
    assert any("P8MEA" in error.detail for error in nothing.errors)


def test_faults_are_all_told_with_their_rows_and_nothing_is_kept(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "RECTYPE,URN,P8MEA,P8CILOW,P8CIUPP,P8PUP,P8_BANDING,ATT8SCR,PTL2BASICS_95\n"
        "1,100000,0.1,-0.1,0.3,100,3,45.1,50%\n"
        "1,100001,11,-0.1,0.3,100,3,45.1,50%\n"
        "1,,0.1,0.3,-0.1,100,3,45.1,201%\n"
        "1,12,0.1,,,1.5,9,lots,=1+1\n"
        "2,100004,0.1.2,1e999,,-3,,45.1,50%\n",
    )
    found = read_file("dfe-ks4", file, academic_year="2017/18")
    assert not found.frames
    assert set(codes(found)) == {
        (4, "URN", "urn_missing"),
        (5, "URN", "urn_invalid"), (5, "P8PUP", "not_a_whole_number"), (5, "P8_BANDING", "not_a_band"),
        (5, "PTL2BASICS_95", "not_a_number"), (6, "P8MEA", "not_a_number"), (6, "P8CILOW", "out_of_range"),
    }  # fmt: skip
    assert (found.rows_read, found.rows_accepted, found.errors_total) == (5, 2, 7)


def test_faults_of_records_that_are_passed_over_are_not_told(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "RECTYPE,URN,ATT8SCR\n9,rubbish,rubbish\n1,100000,45\n")
    found = read_file("dfe-ks4", file, academic_year="2017/18")
    assert found.is_valid and found.rows_ignored == 1


def test_a_school_that_is_there_twice_is_refused_naming_both_rows(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "RECTYPE,URN,ATT8SCR\n1,100000,45\n1,100001,46\n1,100000.0,47\n")
    found = read_file("dfe-ks4", file, academic_year="2017/18")
    assert codes(found) == [(4, None, "key_repeated")]
    assert "Row 4" in found.errors[0].detail and "row 2" in found.errors[0].detail


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    found = read_file("dfe-ks4", csv_file(tmp_path, "RECTYPE,URN,ATT8SCR\n"), academic_year="2017/18")
    assert codes(found) == [(None, None, "no_rows")]


def test_a_file_that_does_not_contain_its_year_needs_one(tmp_path: Path) -> None:
    found = read_file("dfe-ks4", csv_file(tmp_path, "RECTYPE,URN,ATT8SCR\n1,100000,1\n"), academic_year=None)
    assert codes(found) == [(None, None, "academic_year_missing")]


def test_columns_that_are_not_read_are_reported() -> None:
    found = reading("dfe-ks4", "ks4_2016-2017_850_ks4final.csv", "2016/17")
    details = " ".join(warning.detail for warning in found.warnings)
    assert "SCHNAME" in details and "P8MEA_15" in details
    assert "ATT8SCR," not in details


def test_the_extracts_are_what_the_tests_take_them_for() -> None:
    rows = records("ks4_2017-2018_850_ks4final.csv")
    assert [count(rows, RECTYPE=kind) for kind in "12457"] == [92, 29, 1, 1, 1]
    assert "P8_BANDING" not in records("ks4_2016-2017_850_ks4final.csv")[0]


KS4_ROW = {"RECTYPE": "1", "URN": "100000", "TPUP": "80", "ATT8SCR": "46", "P8MEA": "0.5", "EBACCAPS": "4"}


@pytest.mark.parametrize(
    ("kind", "name", "year"),
    [
        ("dfe-ks4", "ks4_2017-2018_850_ks4final.csv", "2024/25"),
        ("dfe-ks4", "ks4_2017-2018_850_ks4final.csv", "2019/20"),
        ("dfe-ks2", "ks2_2018-2019_850.csv", "2021/22"),
        ("dfe-ks2", "ks2_2018-2019_850.csv", "2023/24"),
        ("dfe-absence", "absence_2023-2024_919.csv", "2019/20"),
    ],
)
def test_a_file_of_another_year_is_refused_where_its_figures_were_not_published(
    kind: str, name: str, year: str
) -> None:
    found = read_file(kind, DATA / name, academic_year=year)
    assert {error.code for error in found.errors} == {"not_published_then"}
    assert year in found.errors[0].detail and "Is academic_year right?" in found.errors[0].detail
    assert not found.frames


def test_a_year_without_publication_may_have_symbols_and_other_measures(tmp_path: Path) -> None:
    rows = [{**KS4_ROW, "P8MEA": symbol, "URN": str(100000 + i)} for i, symbol in enumerate(("", "NP", "SUPP", "z"))]
    assert read_file("dfe-ks4", csv_file(tmp_path, rows), academic_year="2024/25").is_valid


def test_areas_have_figures_of_years_in_which_schools_have_none(tmp_path: Path) -> None:
    england = {**KS4_ROW, "RECTYPE": "7", "URN": ""}
    found = read_file("dfe-ks4", csv_file(tmp_path, [england]), academic_year="2019/20")
    assert codes(found) == [(2, "P8MEA", "not_published_then")]
    found = read_file("dfe-ks4", csv_file(tmp_path, [{**england, "P8MEA": ""}]), academic_year="2019/20")
    assert found.is_valid and found.comparison_rows == 1


def test_a_mangled_urn_is_refused_and_one_error_told_for_a_cell(tmp_path: Path) -> None:
    rows = [{**KS4_ROW, "URN": "1.4E+05"}, {**KS4_ROW, "URN": ""}, {**KS4_ROW, "URN": ""}, {**KS4_ROW, "TPUP": "1.5"}]
    found = read_file("dfe-ks4", csv_file(tmp_path, rows), academic_year="2018/19")
    assert codes(found) == [
        (2, "URN", "scientific_notation"),
        (3, "URN", "urn_missing"),
        (4, "URN", "urn_missing"),
        (5, "TPUP", "not_a_whole_number"),
    ]
    assert found.errors_total == 4


def test_schools_that_are_passed_over_for_their_kind_of_record_are_warned_of(tmp_path: Path) -> None:
    rows = [KS4_ROW, *({**KS4_ROW, "RECTYPE": kind, "URN": str(100001 + i)} for i, kind in enumerate(("", "9", "x")))]
    rows.append({**KS4_ROW, "RECTYPE": "3", "URN": ""})
    found = read_file("dfe-ks4", csv_file(tmp_path, rows), academic_year="2018/19")
    assert (found.rows_accepted, found.rows_ignored) == (1, 4)
    assert [(w.column, w.code) for w in found.warnings] == [("RECTYPE", "unknown_record")]
    assert found.warnings[0].detail.endswith(": 3.")
