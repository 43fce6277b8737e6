"""Figures as they were published: kept with a warning where they look wrong, and never 0 for nobody."""

import json
from pathlib import Path

import pytest

from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file

CENSUS = "URN,LA,ESTAB,NOR,PSENELSE\n"
KS4 = "RECTYPE,URN,TPUP,P8PUP,P8MEA,P8CILOW,P8CIUPP,P8_BANDING,ATT8SCR\n"
TIDY = "time_period,time_identifier,geographic_level,school_urn,enrolments,sess_possible,sess_overall_percent\n"
ATTENDANCE = "time_period,time_identifier,geographic_level,possible_sessions,enrolments,attendance_perc,pa_perc\n"


def census(folder: Path, rows: str) -> WholeReading:
    return read_file("dfe-census", csv_file(folder, CENSUS + rows), academic_year="2024/25")


def ks4(folder: Path, rows: str) -> WholeReading:
    return read_file("dfe-ks4", csv_file(folder, KS4 + rows), academic_year="2018/19")


def said(found: WholeReading) -> list[tuple[str | None, str, int | None]]:
    return [(warning.column, warning.code, warning.times) for warning in found.warnings]


def test_a_published_percentage_above_100_is_kept_with_one_warning(tmp_path: Path) -> None:
    found = census(tmp_path, "900051,352,7001,24,104.17%\n900052,352,7002,24,104.2%\n900053,352,7003,24,3%\n")
    assert found.errors == []
    rows = found.frame("observations")
    assert one(rows, urn=900051, measure="census.ehc_plan_percent")["value"] == 104.17
    assert one(rows, urn=900052, measure="census.ehc_plan_percent")["value"] == 104.2
    assert said(found) == [("PSENELSE", "above_the_whole", 2)]
    assert found.warnings[0].sentence.endswith("(2 times)")


@pytest.mark.parametrize(
    ("changes", "value", "warning"),
    [
        ({"ATT8SCR": "104.5"}, 104.5, ("ATT8SCR", "outside_the_usual", 1)),
        ({"ATT8SCR": "-1"}, -1.0, ("ATT8SCR", "outside_the_usual", 1)),
        ({"P8CILOW": "0.4", "P8CIUPP": "-0.2"}, 45.1, ("P8CILOW", "interval_reversed", 1)),
        ({"TPUP": "-3"}, 45.1, ("TPUP", "cohort_below_zero", 1)),
        ({"TPUP": "0"}, 45.1, ("ATT8SCR", "value_of_nobody", 1)),
        ({"P8_BANDING": "Tbc"}, 45.1, ("P8_BANDING", "unrecognised_symbol", 1)),
    ],
)
def test_what_was_published_is_kept_with_a_warning(
    tmp_path: Path, changes: dict[str, str], value: float, warning: tuple[str, str, int]
) -> None:
    usual = {"RECTYPE": "1", "URN": "100000", "TPUP": "100", "P8PUP": "100", "P8MEA": "0.1", "P8CILOW": "-0.2",
             "P8CIUPP": "0.4", "P8_BANDING": "3", "ATT8SCR": "45.1"}  # fmt: skip
    found = ks4(tmp_path, ",".join({**usual, **changes}.values()) + "\n")
    assert found.errors == []
    assert warning in said(found)
    rows = found.frame("observations")
    attainment = one(rows, measure="ks4.attainment_8")
    progress = one(rows, measure="ks4.progress_8")
    assert attainment["value"] == value
    assert progress["value"] == 0.1
    assert attainment["cohort"] == (None if changes.get("TPUP") == "-3" else int(changes.get("TPUP", "100")))
    assert progress["lower"] == (None if "P8CIUPP" in changes else -0.2)
    assert progress["published_band"] == (None if "P8_BANDING" in changes else "average")


@pytest.mark.parametrize(("column", "cell"), [(3, "352"), (8, "4000")])
def test_a_column_that_is_mostly_outside_of_its_measure_is_another_one(tmp_path: Path, column: int, cell: str) -> None:
    kind, header, row, name = {
        3: ("dfe-census", CENSUS, "{urn},352,7001,24,{cell}", "PSENELSE"),
        8: ("dfe-ks4", KS4, "1,{urn},100,100,0.1,,,,{cell}", "ATT8SCR"),
    }[column]
    for outside, expected in ((11, [(None, name, "column_out_of_range")]), (10, [])):
        rows = [row.format(urn=100000 + n, cell=cell if n < outside else "40") + "\n" for n in range(20)]
        found = read_file(kind, csv_file(tmp_path, header + "".join(rows)), academic_year="2018/19")
        assert codes(found) == expected


def test_a_share_of_no_pupils_was_not_counted(tmp_path: Path) -> None:
    found = census(tmp_path, "100000,352,7001,0,0.00%\n100001,352,7002,10,0.00%\n100002,352,7003,NA,0.00%\n")
    rows = found.frame("observations")
    shares = [one(rows, urn=urn, measure="census.ehc_plan_percent") for urn in (100000, 100001, 100002)]
    assert [(row["value"], row["reason"]) for row in shares] == [(None, "not_counted"), (0.0, None), (0.0, None)]
    assert one(rows, urn=100000, measure="census.pupils")["value"] == 0, "the number itself was counted"


def test_progress_of_nobody_is_not_average(tmp_path: Path) -> None:
    found = ks4(tmp_path, "1,100000,0,0,0,0,0,3,0\n")
    rows = found.frame("observations")
    for measure in ("ks4.progress_8", "ks4.attainment_8"):
        row = one(rows, measure=measure)
        assert (row["value"], row["reason"], row["cohort"]) == (None, "not_counted", 0)
        assert row["lower"] is row["upper"] is row["published_band"] is None


def test_absence_without_sessions_was_not_counted(tmp_path: Path) -> None:
    text = TIDY + "202324,Academic year,School,100000,5,0,0\n202324,Academic year,School,100001,5,1900,0\n"
    found = read_file("dfe-absence", csv_file(tmp_path, text), academic_year="2023/24")
    rows = found.frame("observations").filter(measure="absence.overall_percent").sort("urn")
    assert rows.select("value", "reason").rows() == [(None, "not_counted"), (0.0, None)]


def test_attendance_of_an_area_without_pupils_was_not_counted(tmp_path: Path) -> None:
    text = ATTENDANCE + "202425,Autumn term,National,0,0,0,0\n"
    found = read_file("dfe-attendance", csv_file(tmp_path, text), academic_year=None)
    assert found.errors == []
    rows = found.frame("comparison_figures")
    assert set(rows.select("value", "reason").rows()) == {(None, "not_counted")}
    assert rows.height == 2


@pytest.mark.parametrize("cohort", ["0", "0.0"])
def test_a_trusts_own_figure_of_nobody_was_not_counted(tmp_path: Path, cohort: str) -> None:
    text = (
        "urn,measure,academic_year,value,cohort\n"
        f"100000,attendance.overall_percent,2025/26,0,{cohort}\n"
        f"100000,census.pupils,2025/26,0,{cohort}\n"
    )
    rows = read_file("observations", csv_file(tmp_path, text), academic_year=None).frame("observations")
    assert one(rows, measure="attendance.overall_percent")["reason"] == "not_counted"
    assert one(rows, measure="census.pupils")["value"] == 0


@pytest.mark.parametrize("symbol", ["DNS", "tbc", "*", "#DIV/0!", "Not enough data"])
def test_an_unknown_symbol_costs_its_cell_and_is_named_with_its_number(tmp_path: Path, symbol: str) -> None:
    rows = [f"{100000 + n},352,7001,24,{symbol if n < 3 else '3%'}\n" for n in range(20)]
    found = census(tmp_path, "".join(rows))
    assert found.errors == []
    figures = found.frame("observations").filter(measure="census.ehc_plan_percent").sort("urn")
    assert figures["reason"].to_list() == ["unrecognised_symbol"] * 3 + [None] * 17
    assert said(found) == [("PSENELSE", "unrecognised_symbol", 3)]
    assert repr(symbol) in found.warnings[0].detail


def test_an_unknown_symbol_in_any_number_of_batches_is_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("academy.imports.formats.layouts.records.BLOCK", 64)
    rows = [f"{100000 + n},352,7001,24,{'DNS' if n % 3 == 0 else '3%'}\n" for n in range(99)]
    assert said(census(tmp_path, "".join(rows))) == [("PSENELSE", "unrecognised_symbol", 33)]


@pytest.mark.parametrize(("unknown", "code"), [(11, "column_unrecognised"), (10, None)])
def test_a_column_of_mostly_unknown_symbols_is_another_one(tmp_path: Path, unknown: int, code: str | None) -> None:
    rows = [f"{100000 + n},352,7001,24,{'DNS' if n < unknown else '3%'}\n" for n in range(20)]
    rows += ["100020,352,7001,24,\n"] * 1
    found = census(tmp_path, "".join(rows))
    assert codes(found) == ([(None, "PSENELSE", code)] if code else [])


@pytest.mark.parametrize(
    ("kind", "text", "column"),
    [
        ("dfe-census", CENSUS + "DNS,352,7001,24,3\n", "URN"),
        ("observations", "urn,measure,academic_year,value\nDNS,ks4.attainment_8,2025/26,4\n", "urn"),
        ("gias-establishments", "URN,EstablishmentName,NumberOfPupils\n100000,A,DNS\n", "NumberOfPupils"),
    ],
)
def test_where_a_school_or_the_register_is_named_no_symbol_is_let_pass(
    tmp_path: Path, kind: str, text: str, column: str
) -> None:
    found = read_file(kind, csv_file(tmp_path, text), academic_year="2025/26")
    assert codes(found) == [(2, column, "not_a_number")]


@pytest.mark.parametrize(
    ("kind", "text", "column"),
    [
        ("dfe-census", CENSUS + "100000,352,7001,24,0.03\n100001,352,7001,24,1\n", "PSENELSE"),
        ("observations", "urn,measure,academic_year,value\n100000,attendance.overall_percent,2025/26,0.924\n", "value"),
        ("dfe-absence", TIDY + "202324,Academic year,School,100000,5,1900,0.07\n", "sess_overall_percent"),
        ("dfe-school-profiles", '[{"id": 100000, "Abs_Tot_Est_Current_Pct": 0.07}]', "Abs_Tot_Est_Current_Pct"),
    ],
)
def test_percentages_that_are_all_at_most_1_were_probably_fractions(
    tmp_path: Path, kind: str, text: str, column: str
) -> None:
    year = "2023/24" if kind == "dfe-absence" else "2025/26"
    found = read_file(kind, csv_file(tmp_path, text), academic_year=year)
    assert found.errors == []
    assert [(w.column, w.code) for w in found.warnings] == [(column, "percents_as_fractions")]
    assert "0.924" in found.warnings[0].detail


def test_tidy_tables_and_school_profiles_keep_percentages_above_100_with_one_warning(tmp_path: Path) -> None:
    rows = [f"202324,Academic year,School,{100000 + n},5,1900,{104.2 if n < 3 else 5}\n" for n in range(9)]
    tidy = read_file("dfe-absence", csv_file(tmp_path, TIDY + "".join(rows)), academic_year="2023/24")
    items = [{"id": 100000 + n, "Abs_Tot_Est_Current_Pct": 104.2 if n < 3 else 5} for n in range(9)]
    profiles = read_file("dfe-school-profiles", csv_file(tmp_path, json.dumps(items)), academic_year="2024/25")
    for found, column in ((tidy, "sess_overall_percent"), (profiles, "Abs_Tot_Est_Current_Pct")):
        assert found.errors == []
        assert said(found) == [(column, "above_the_whole", 3)]
        assert found.frame("observations")["value"].max() == 104.2


def test_unknown_symbols_cost_a_cell_of_tidy_tables_and_school_profiles_too(tmp_path: Path) -> None:
    rows = [f"202324,Academic year,School,{100000 + n},5,1900,{'DNS' if n < 3 else 5}\n" for n in range(9)]
    tidy = read_file("dfe-absence", csv_file(tmp_path, TIDY + "".join(rows)), academic_year="2023/24")
    items = [{"id": 100000 + n, "Abs_Tot_Est_Current_Pct": "DNS" if n < 3 else 5} for n in range(9)]
    profiles = read_file("dfe-school-profiles", csv_file(tmp_path, json.dumps(items)), academic_year="2024/25")
    for found, column in ((tidy, "sess_overall_percent"), (profiles, "Abs_Tot_Est_Current_Pct")):
        assert found.errors == []
        assert said(found) == [(column, "unrecognised_symbol", 3)]
        assert found.frame("observations")["reason"].to_list().count("unrecognised_symbol") == 3


def test_percentages_of_which_one_is_above_1_or_all_are_0_are_no_fractions(tmp_path: Path) -> None:
    assert said(census(tmp_path, "100000,352,7001,24,0.03\n100001,352,7001,24,1.1\n")) == []
    assert said(census(tmp_path, "100000,352,7001,24,0\n")) == []
