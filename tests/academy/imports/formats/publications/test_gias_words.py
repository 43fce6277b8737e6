"""Words, codes and numbers of the register that nobody knows are refused, and the known ones named."""

from datetime import date
from pathlib import Path

import pytest

from tests.academy.imports.formats.tables import codes, csv_file, one, read_file

TYPES = "TypeOfEstablishment (code),TypeOfEstablishment (name)"


@pytest.mark.parametrize(
    ("column", "cell", "code", "named"),
    [
        ("PhaseOfEducation (name)", "Secondry", "unknown_word", "Middle deemed secondary, 16 plus"),
        ("PhaseOfEducation (code)", "9", "unknown_word", "Nursery, Primary"),
        ("EstablishmentStatus (name)", "Opn", "unknown_word", "Open, Closed, Proposed to open"),
        ("EstablishmentStatus (code)", "7", "unknown_word", "Open, Closed, Proposed to open"),
        ("TypeOfEstablishment (name)", "Putney", "unknown_word", "Academy converter"),
        ("TypeOfEstablishment (code)", "Academy converter", "not_a_code", "digits"),
        ("LA (code)", "Wandsworth", "not_a_code", "digits"),
        ("EstablishmentNumber", "four", "not_a_code", "digits"),
        ("UKPRN", "10O27548", "not_a_code", "digits"),
        ("URN", "3526908", "urn_invalid", "a LAESTAB (352/6908)"),
        ("URN", "13587", "urn_invalid", "six digits"),
    ],
)
def test_what_nobody_knows_is_refused_by_its_cell(
    tmp_path: Path, column: str, cell: str, code: str, named: str
) -> None:
    row = {"URN": "135874", "EstablishmentName": "A", column: cell}
    file = csv_file(tmp_path, f"{','.join(row)}\n{','.join(row.values())}\n")
    found = read_file("gias-establishments", file, academic_year=None)
    assert codes(found) == [(2, column, code)]
    assert cell in found.errors[0].detail
    assert named in found.errors[0].detail


@pytest.mark.parametrize("cell", ["", "n/a", "NULL", "Not applicable", "0"])
def test_nothing_and_not_applicable_are_no_phase(tmp_path: Path, cell: str) -> None:
    file = csv_file(tmp_path, f"URN,EstablishmentName,PhaseOfEducation (name)\n135874,A,{cell}\n")
    found = read_file("gias-establishments", file, academic_year=None)
    assert found.is_valid, found.errors
    assert one(found.frame("schools"))["phase"] is None


def test_a_new_type_is_known_by_its_number(tmp_path: Path) -> None:
    file = csv_file(tmp_path, f"URN,EstablishmentName,{TYPES}\n135874,A,58,Academy of a new type\n")
    found = read_file("gias-establishments", file, academic_year=None)
    assert found.is_valid, found.errors
    assert one(found.frame("schools"))["type_name"] == "Academy of a new type"


def test_a_row_that_a_comma_has_shifted_is_refused(tmp_path: Path) -> None:
    header = f"URN,EstablishmentName,{TYPES},EstablishmentStatus (name),Town,Postcode"
    row = "135874,St Mary, Putney,28,Academy sponsor led,Open,London"
    found = read_file("gias-establishments", csv_file(tmp_path, f"{header}\n{row}\n"), academic_year=None)
    assert (2, "EstablishmentStatus (name)", "unknown_word") in codes(found)
    assert (2, "TypeOfEstablishment (code)", "not_a_code") in codes(found)


def test_childrens_centres_are_passed_over(tmp_path: Path) -> None:
    rows = "20003,A centre,47,Children's centre\n135874,A,28,Academy sponsor led\n"
    file = csv_file(tmp_path, f"URN,EstablishmentName,{TYPES}\n{rows}")
    found = read_file("gias-establishments", file, academic_year=None)
    assert found.is_valid, found.errors
    assert (found.rows_accepted, found.rows_ignored) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "number", "refused"),
    [
        ("Multi academy trst", "", True),
        ("Multi academy trst", "n/a", True),
        ("A new type of group", "14", False),
        ("Federation", "", False),
        ("", "", False),
    ],
)
def test_groups_of_a_type_that_nobody_knows_are_not_passed_over(
    tmp_path: Path, kind: str, number: str, refused: bool
) -> None:
    file = csv_file(tmp_path, f"Group UID,Group Name,Group Type (code),Group Type\n16846,A GROUP,{number},{kind}\n")
    found = read_file("gias-groups", file, academic_year=None)
    assert codes(found) == ([(2, "Group Type", "unknown_word")] if refused else [])
    assert (found.rows_accepted, found.rows_ignored) == (0, 0 if refused else 1)


@pytest.mark.parametrize(("status", "expected"), [("Opn", "unknown_word"), ("Proposed to open", None)])
def test_links_of_groups_may_call_the_trust_linked_uid(tmp_path: Path, status: str, expected: str | None) -> None:
    header = "URN,Linked UID,Group Name,Group Type,Group Status,Joined date,EstablishmentName"
    row = f"135874,16846,A TRUST,Multi-academy trust,{status},2020-04-01,A"
    found = read_file("gias-group-links", csv_file(tmp_path, f"{header}\n{row}\n"), academic_year=None)
    assert codes(found) == ([] if expected is None else [(2, "Group Status", expected)])
    if expected is None:
        assert one(found.frame("memberships"))["group_uid"] == "16846"


@pytest.mark.parametrize(
    ("status", "opened", "closed", "said"),
    [
        ("Open", "2009-09-01", "2011-08-31", "CloseDate is past"),
        ('"Open, but proposed to close"', "", "2026-11-24", "CloseDate is past"),
        ("Closed", "", "2026-11-26", "CloseDate is to come"),
        ("Proposed to open", "2026-09-01", "", "OpenDate is past"),
        ("Open", "2027-01-01", "", "OpenDate is to come"),
        # Nothing contradicts itself here.
        ('"Open, but proposed to close"', "", "2027-08-31", None),
        ("Open", "", "2026-11-25", None),
        ("Closed", "", "2026-08-31", None),
        ("Proposed to open", "2027-09-01", "", None),
    ],
)
def test_where_a_day_contradicts_the_status_the_status_counts(
    tmp_path: Path, status: str, opened: str, closed: str, said: str | None
) -> None:
    header = "URN,EstablishmentName,EstablishmentStatus (name),OpenDate,CloseDate"
    file = csv_file(tmp_path, f"{header}\n135874,A,{status},{opened},{closed}\n")
    found = read_file("gias-establishments", file, academic_year=None, today=date(2026, 11, 25))
    assert found.is_valid
    details = [warning.detail for warning in found.warnings]
    assert len(details) == (said is not None)
    assert all("URN 135874" in detail and str(said) in detail for detail in details)
    row = one(found.frame("schools"))
    is_left_out = said is not None and "CloseDate" in said
    assert row["closed_on"] == (None if is_left_out or not closed else date.fromisoformat(closed))
    assert row["opened_on"] == (date.fromisoformat(opened) if opened else None)


def test_academies_stay_in_an_open_trust_whose_closed_date_is_past(tmp_path: Path) -> None:
    header = "URN,Group UID,Group Name,Group Type,Group Status,Closed Date,Joined date,EstablishmentName"
    row = "135874,16846,T,Multi-academy trust,{},2024-08-31,2018-09-01,A"
    for status, left_on in (("Open", None), ("Closed", date(2024, 8, 31))):
        file = csv_file(tmp_path, f"{header}\n{row.format(status)}\n")
        found = read_file("gias-group-links", file, academic_year=None, today=date(2026, 11, 25))
        assert one(found.frame("memberships"))["left_on"] == left_on
        codes_found = [warning.code for warning in found.warnings]
        assert codes_found == (["status_contradicts_date"] if status == "Open" else [])
