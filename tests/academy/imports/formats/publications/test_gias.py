"""The register of schools and trusts, from real extracts and from the odd things that they hold."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from academy.imports.formats.cells.schools import company_number, laestab_of, phase_of, status_of, whole
from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file, reading, records

PROSPERE = "16846"


def test_schools_are_read_with_everything_that_the_extract_has() -> None:
    rows = records("gias_establishments_2022.csv")
    found = reading("gias-establishments", "gias_establishments_2022.csv")
    assert found.rows_accepted == len(rows)
    schools = found.frame("schools")
    for row in rows:
        school = one(schools, urn=int(row["URN"]))
        assert school["name"] == " ".join(row["EstablishmentName"].split())
        assert school["laestab"] == row["LA (code)"] + row["EstablishmentNumber"].zfill(4)
        assert school["ukprn"] == (row["UKPRN"] or None)
        assert school["pupils"] == (int(row["NumberOfPupils"]) if row["NumberOfPupils"] else None)
        assert (school["status"] == "closed") == (row["EstablishmentStatus (name)"] == "Closed")
        opened = row["OpenDate"]
        assert school["opened_on"] == (
            None if opened in ("", "01-01-1900") else date(*(int(part) for part in reversed(opened.split("-"))))
        )
    assert set(schools["status"]) == {"open", "closed", "proposed_to_close"}
    assert set(schools["phase"]) == {"primary", "all_through"}
    assert "type_code" not in schools.columns, "the extract hasn't got it, so it says nothing of it"


def test_a_smaller_extract_says_less() -> None:
    found = reading("gias-establishments", "gias_establishments_2021.csv")
    assert found.frame("schools").columns == ["urn", "name", "laestab", "la_code", "phase"]


def test_trusts_are_kept_and_other_groups_passed_over() -> None:
    rows = records("gias_groups.csv")
    is_trust = [row for row in rows if row["Group Type"] in ("Multi-academy trust", "Single-academy trust")]
    found = reading("gias-groups", "gias_groups.csv")
    assert (found.rows_accepted, found.rows_ignored) == (len(is_trust), len(rows) - len(is_trust))
    trusts = found.frame("trusts")
    assert set(trusts["group_uid"]) == {row["Group UID"] for row in is_trust}
    row = one(trusts, group_uid=PROSPERE)
    assert (row["group_id"], row["kind"], row["status"]) == ("TR03794", "multi_academy_trust", "open")
    assert (row["companies_house_number"], row["ukprn"]) == ("10872612", "10066112")
    assert row["opened_on"] == date(2017, 7, 18)
    for trust in trusts["companies_house_number"].drop_nulls():
        assert len(trust) == 8


def test_academies_are_in_their_trusts_since_they_joined() -> None:
    rows = records("gias_group_links.csv")
    links = [row for row in rows if row["Group Type"] in ("Multi-academy trust", "Single-academy trust")]
    found = reading("gias-group-links", "gias_group_links.csv")
    assert (found.rows_accepted, found.rows_ignored) == (len(links), len(rows) - len(links))
    memberships = found.frame("memberships")
    assert memberships.height == len(links)
    for row in links:
        membership = one(memberships, urn=int(row["URN"]), group_uid=row["Group UID"])
        assert membership["joined_on"] == date.fromisoformat(row["Joined date"])
        assert (membership["left_on"] is not None) == (row["Closed Date"] != "")
    assert any(row["Closed Date"] for row in links)


def test_the_demonstration_trust_has_its_eight_academies_with_phases() -> None:
    found = reading("gias-group-links", "gias_group_links.csv")
    members = found.frame("memberships").filter(group_uid=PROSPERE)
    schools = found.frame("schools").filter(pl.col("urn").is_in(members["urn"].to_list()))
    assert members.height == schools.height == 8
    assert sorted(schools["phase"]) == ["secondary"] * 4 + ["special"] * 4
    assert one(schools, urn=141805)["name"] == "Piper Hill High School"
    assert one(found.frame("trusts"), group_uid=PROSPERE)["companies_house_number"] == "10872612"
    assert "ukprn" not in found.frame("trusts").columns, "group links don't say it, so it stays as it was"


LINK_HEADER = (
    ",URN,Group UID,Group ID,Group Name,Companies House Number,Group Type (code),Group Type,Closed Date,"
    "Incorporated on (open date),Group Status,Joined date,EstablishmentName,PhaseOfEducation (name)\n"
)


def test_a_sponsors_link_is_no_membership(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        LINK_HEADER
        + "0,135874,16846,TR03794,A TRUST,7525820.0,6,Multi-academy trust,,2017-07-18,Open,2020-04-01,A,Secondary\n"
        "1,135874,2701,,A SPONSOR,,5,School sponsor,,,Open,2010-01-01,A,Secondary\n"
        "2,20003,80637,,Children,,8,Children's Centres Group,,1900-01-01,Open,1900-01-01,C,Not applicable\n"
        "3,garbage,x,,,,1,Federation,,never,Open,never,,\n",
    )
    found = read_file("gias-group-links", file, academic_year=None)
    assert (found.rows_accepted, found.rows_ignored) == (1, 3)
    assert one(found.frame("trusts"))["companies_house_number"] == "07525820"
    assert found.frame("memberships").height == found.frame("schools").height == 1


@pytest.mark.parametrize(
    ("joined", "founded", "closed", "expected", "left"),
    [
        ("2020-04-01", "2017-07-18", "", date(2020, 4, 1), None),
        ("1900-01-01", "2017-07-18", "", date(2017, 7, 18), None),
        ("", "18-07-2017", "", date(2017, 7, 18), None),
        ("01/04/2020", "", "31-08-2021", date(2020, 4, 1), date(2021, 8, 31)),
        ("2020-04-01", "2017-07-18", "2019-01-01", date(2020, 4, 1), date(2020, 4, 1)),
    ],
)
def test_joined_dates_are_read_or_stood_in_for(
    tmp_path: Path, joined: str, founded: str, closed: str, expected: date, left: date | None
) -> None:
    row = f"0,135874,16846,TR03794,A TRUST,,6,Multi-academy trust,{closed},{founded},Open,{joined},A,Secondary\n"
    found = read_file("gias-group-links", csv_file(tmp_path, LINK_HEADER + row), academic_year=None)
    assert found.is_valid, found.errors
    membership = one(found.frame("memberships"))
    assert (membership["joined_on"], membership["left_on"]) == (expected, left)


def test_a_membership_without_any_date_is_refused(tmp_path: Path) -> None:
    row = "0,135874,16846,TR03794,A TRUST,,6,Multi-academy trust,,,Open,,A,Secondary\n"
    found = read_file("gias-group-links", csv_file(tmp_path, LINK_HEADER + row), academic_year=None)
    assert codes(found) == [(2, "Joined date", "value_missing")]


STATED, CANCELLED = (f"142100,2044,2026-12-01,{word}" for word in ("", "Cancelled"))


def link_rows(folder: Path, *rows: str) -> WholeReading:
    """Rows of URN, trust, joined date and status, read."""
    header = "URN,Group UID,Joined date,Membership status,Group Name,Group Type,EstablishmentName\n"
    text = header + "".join(f"{row},A Trust,Multi-academy trust,A School\n" for row in rows)
    return read_file("gias-group-links", csv_file(folder, text), academic_year=None)


@pytest.mark.parametrize(
    ("rows", "words"),
    [((STATED, CANCELLED), ("cancels", "states")), ((CANCELLED, STATED), ("states", "cancels"))],
)
def test_a_membership_is_not_both_stated_and_cancelled(
    tmp_path: Path, rows: tuple[str, str], words: tuple[str, str]
) -> None:
    found = link_rows(tmp_path, "142101,2044,2026-12-01,", *rows)
    assert codes(found) == [(4, None, "key_repeated")]
    assert found.errors[0].detail == (
        f"Row 4 {words[0]} the membership that row 3 {words[1]}: same school, trust and first day."
    )
    other_day = STATED.replace("-12-", "-11-")
    assert link_rows(tmp_path, CANCELLED, other_day).is_valid, "a wrong day beside the right one"


@pytest.mark.parametrize("word", ["Cancelled", "canceled"])
def test_a_row_that_cancels_says_nothing_of_its_school_and_trust(tmp_path: Path, word: str) -> None:
    found = link_rows(tmp_path, f"142100,2044,2026-12-01,{word}", "142101,16846,2026-12-01,")
    assert found.is_valid, found.errors
    assert found.frame("memberships")["is_cancelled"].to_list() == [True, False]
    assert found.frame("schools")["urn"].to_list() == [142101]
    assert found.frame("trusts")["group_uid"].to_list() == ["16846"]


def test_old_urns_lead_to_new_ones() -> None:
    rows = records("gias_urn_lookup.csv")
    changed = {
        (int(r["OLD_URN"]), int(float(r["LATEST_URN"]))) for r in rows if float(r["LATEST_URN"]) != float(r["OLD_URN"])
    }
    found = reading("gias-urn-links", "gias_urn_lookup.csv")
    assert (found.rows_accepted, found.rows_ignored) == (len(changed), len(rows) - len(changed))
    assert set(found.frame("school_links").select("urn", "linked_urn").rows()) == changed
    assert set(found.frame("school_links")["link_type"]) == {"successor"}


def test_links_of_the_register_keep_their_type_and_day(tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n"
        "100003,136807,New,Successor - amalgamated,01-08-2011\n136807,100003,Old,Predecessor,01-08-2011\n",
    )
    links = read_file("gias-urn-links", file, academic_year=None).frame("school_links")
    row = one(links, urn=100003)
    assert (row["link_type"], row["established_on"]) == ("successor_amalgamated", date(2011, 8, 1))
    assert one(links, urn=136807)["link_type"] == "predecessor"


def test_a_name_that_is_a_formula_is_refused(tmp_path: Path) -> None:
    file = csv_file(tmp_path, "URN,EstablishmentName\n100000,=cmd|' /C calc'!A0\n100001,Ash - Vale\n100002,\n")
    found = read_file("gias-establishments", file, academic_year=None)
    assert codes(found) == [(2, "EstablishmentName", "formula"), (4, "EstablishmentName", "value_missing")]


def test_a_register_in_windows_1252_is_read(tmp_path: Path) -> None:
    file = tmp_path / "gias.csv"
    file.write_bytes(b"URN,EstablishmentName\n100000,\xc9cole Jeannine Manuel \x96 St James\x92s\n")
    found = read_file("gias-establishments", file, academic_year=None)
    assert one(found.frame("schools"))["name"] == "École Jeannine Manuel \u2013 St James\u2019s"


@pytest.mark.parametrize(
    ("type_code", "type_name", "phase", "expected"),
    [
        ("28", "Academy sponsor led", "Secondary", "secondary"),
        ("34", None, "2", "primary"),
        ("44", "Academy special converter", "Not applicable", "special"),
        (None, "Community special school", "Primary", "special"),
        ("07", None, None, "special"),
        ("42", None, "Not applicable", "alternative_provision"),
        (None, "Free schools alternative provision", "Secondary", "alternative_provision"),
        (None, "Pupil referral unit", None, "alternative_provision"),
        ("15", None, "1", "nursery"),
        (None, "Community school", "Middle deemed primary", "primary"),
        (None, "Community school", "Middle deemed secondary", "secondary"),
        (None, None, "16 plus", "sixteen_plus"),
        ("45", None, "0", "sixteen_plus"),
        (None, None, "All-through", "all_through"),
        (None, None, "7.0", "all_through"),
        ("47", "Children's centre", "Not applicable", None),
        (None, None, None, None),
    ],
)
def test_the_phase_is_the_types_before_it_is_the_registers(
    type_code: str | None, type_name: str | None, phase: str | None, expected: str | None
) -> None:
    row = pl.DataFrame({"c": [type_code], "n": [type_name], "p": [phase]}, schema=dict.fromkeys("cnp", pl.String))
    assert row.select(phase_of(pl.col("c"), pl.col("n"), pl.col("p"))).item() == expected


def value(expression: pl.Expr, *cells: str | None) -> object:
    frame = pl.DataFrame(
        {name: [cell] for name, cell in zip("ab", cells, strict=False)},
        schema_overrides={"a": pl.String, "b": pl.String},
    )
    return frame.select(expression).item()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("7525820.0", "07525820"),
        ("10872612", "10872612"),
        ("OC304173", "OC304173"),
        (" 123 ", "00000123"),
        ("", None),
        ("n/a", None),
        ("123456789", None),
        (None, None),
    ],
)
def test_company_numbers_have_eight_characters(cell: str | None, expected: str | None) -> None:
    assert value(company_number(pl.col("a")), cell) == expected


@pytest.mark.parametrize(
    ("la", "school", "expected"),
    [
        ("850", "2000", "8502000"),
        ("352", "69", "3520069"),
        ("850.0", "2000.0", "8502000"),
        ("850", "", None),
        ("", "2000", None),
        ("8500", "20", None),
    ],
)
def test_laestab_has_seven_digits_or_is_unknown(la: str, school: str, expected: str | None) -> None:
    assert value(laestab_of(pl.col("a"), pl.col("b")), la, school) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Open", "open"),
        ("2", "closed"),
        ("Open, but proposed to close", "proposed_to_close"),
        ("4.0", "proposed_to_open"),
        ("?", None),
        (None, None),
    ],
)
def test_status_is_known_by_code_and_by_name(cell: str | None, expected: str | None) -> None:
    assert value(status_of(pl.col("a")), cell) == expected


def test_numbers_that_spreadsheets_made_decimals_are_whole_again() -> None:
    assert value(whole(pl.col("a")), "10066112.0") == "10066112"
    assert value(whole(pl.col("a")), "abc") is None
