"""Files that are probably not meant so: titles above the header, web pages, lines that are cut off, columns without a
name."""

from pathlib import Path

import pytest

from academy.imports.formats.kinds import KINDS
from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, read_file

KS4 = "RECTYPE,URN,ATT8SCR,P8MEA\n"
OWN = "urn,measure,academic_year,value\n"
ROW = "1,100000,45.1,0.1\n"


def ks4(folder: Path, text: str) -> WholeReading:
    return read_file("dfe-ks4", csv_file(folder, text), academic_year="2018/19")


def warnings(found: WholeReading) -> list[tuple[str, str]]:
    return [(warning.code, warning.sentence) for warning in found.warnings]


@pytest.mark.parametrize(
    ("above", "row"),
    [
        ("Key stage 4 results\n", 2),
        ("Key stage 4 results,,,\n,,,\n", 3),
        ("Key stage 4 results; 2018/19\n\n", 3),
        ("Key stage 4; results, of all schools\nSource: DfE,,,\n", 3),
        ("School,,Results,\n", 2),
        ('"Results,\nin two lines",,,\n,,,\n,,,\n', 4),
    ],
)
def test_a_header_below_a_title_or_merged_cells_is_found_and_named(tmp_path: Path, above: str, row: int) -> None:
    found = ks4(tmp_path, above + KS4 + ROW)
    assert codes(found) == [(row, None, "header_elsewhere")]
    assert f"row {row}" in found.errors[0].detail
    assert not found.frames


@pytest.mark.parametrize("kind", [code for code, kind in KINDS.items() if "text/csv" in kind.media_types])
def test_the_header_of_every_kind_is_found_below_a_title(kind: str, tmp_path: Path) -> None:
    file = csv_file(tmp_path, f"A title,\n{KINDS[kind].example(every_column=False)}")
    found = read_file(kind, file, academic_year="2018/19" if KINDS[kind].needs_academic_year else None)
    assert codes(found) == [(2, None, "header_elsewhere")]


def test_a_header_that_is_nowhere_is_missed_column_by_column(tmp_path: Path) -> None:
    found = ks4(tmp_path, "a,b\n" * 60 + KS4 + ROW)
    assert {code for _, _, code in codes(found)} == {"column_missing"}


@pytest.mark.parametrize("line", ["sep=,\n", "SEP=,\r\n", '"sep=,"\n', "\n\nsep=,\n\n"])
def test_an_instruction_for_spreadsheets_is_passed_over(tmp_path: Path, line: str) -> None:
    found = ks4(tmp_path, line + KS4 + ROW + "1,100001,4O,0.1\n")
    assert codes(found) == [(line.count("\n") + 3, "ATT8SCR", "not_a_number")]
    assert [code for code, _ in warnings(found)] == ["separator_line"]


def test_an_instruction_for_another_separator_is_refused(tmp_path: Path) -> None:
    assert [code for _, _, code in codes(ks4(tmp_path, "sep=;\n" + KS4.replace(",", ";")))] == ["delimiter"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "start", ["<!DOCTYPE html>\n<html>", "  <html lang='en'>", "\ufeff<HTML>", "<?xml version='1.0'?>", "<!-- , -->"]
)
def test_a_web_page_is_no_table(tmp_path: Path, kind: str, start: str) -> None:
    file = csv_file(tmp_path, f"{start}\n<body>Sign in, please</body></html>\n")
    assert [code for _, _, code in codes(read_file(kind, file, academic_year="2018/19"))] == ["web_page"]


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("1,100001,45", "last_line_short", "3 cells, the header 4"),
        ("1,100001\n\n\n", "last_line_short", "2 cells, the header 4"),
        ("1,100001,45,0.1", "last_line_open", "no line end"),
        ('1,100001,45,"0.1"', "last_line_open", "no line end"),
    ],
)
def test_a_last_line_that_is_short_or_open_is_warned_of(tmp_path: Path, end: str, code: str, said: str) -> None:
    found = ks4(tmp_path, KS4 + ROW + end)
    assert found.errors == []
    ((is_code, sentence),) = warnings(found)
    assert is_code == code and said in sentence


@pytest.mark.parametrize("end", ["1,100001,45,0.1\n", "1,100001,45,0.1\r\n", "1,100001,45,0.1\n\n,,,\n"])
def test_a_last_line_that_is_whole_is_not_warned_of(tmp_path: Path, end: str) -> None:
    assert warnings(ks4(tmp_path, KS4 + ROW + end)) == []


def test_text_under_a_header_without_a_name_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("academy.imports.formats.layouts.records.BLOCK", 32)
    rows = "".join(f"1,{100000 + n},45,{'seen' if n % 2 else ''},0.1,\n" for n in range(20))
    found = ks4(tmp_path, "RECTYPE,URN,ATT8SCR,,P8MEA,\n" + rows)
    assert found.errors == []
    assert warnings(found) == [
        ("column_nameless", "Column 4 has no name in the header; what stands in it was left out. (10 times)")
    ]
    assert found.frame("observations").height == 40


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("observations", OWN + "100000,ks4.attainment_8,2018/19,45"),
        ("gias-establishments", "URN,EstablishmentName\n100000,A"),
        ("ofsted-inspections", "URN,Rating,Inspection Date\n100000,Good,20130418"),
        ("dfe-census", "URN,NOR\n100000,24"),
        ("dfe-absence", "time_period,geographic_level,school_urn,sess_overall_percent\n201819,School,100000,5.5"),
    ],
)
def test_every_kind_of_table_warns_of_a_line_that_is_cut_off(tmp_path: Path, kind: str, text: str) -> None:
    year = "2018/19" if KINDS[kind].needs_academic_year else None
    found = read_file(kind, csv_file(tmp_path, text), academic_year=year)
    assert found.errors == []
    assert [code for code, _ in warnings(found)] == ["last_line_open"]
