"""School Profiles: its several shapes, told apart by their keys, and years counted back from the file's
own."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from academy.imports.formats.publications.dfe_profile_keys import STEMS, YEARS_BACK, parse_key
from tests.academy.imports.formats.tables import WholeReading, codes, items, one, read_file, reading

KIND = "dfe-school-profiles"


def sent(folder: Path, content: Any, year: str | None = "2024/25") -> WholeReading:
    file = folder / "file.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_file(KIND, file, academic_year=year)


PERFORMANCE = {
    "Attainment8_Tot_Est_Current_Num": ("ks4.attainment_8", "all", "2024/25"),
    "EngMaths49_Boy_Est_Current_Pct": ("ks4.english_maths_grade_4_percent", "boys", "2024/25"),
    "EngMaths59_Grl_Est_Current_Pct": ("ks4.english_maths_grade_5_percent", "girls", "2024/25"),
    "EngMaths59_Tot_Est_Previous_Pct": ("ks4.english_maths_grade_5_percent", "all", "2023/24"),
    "EngMaths49_Tot_Est_Previous2_Pct": ("ks4.english_maths_grade_4_percent", "all", "2022/23"),
    "Prog8_Tot_Est_Previous_Num": ("ks4.progress_8", "all", "2023/24"),
    "Prog8_Tot_Est_Previous2_Num": ("ks4.progress_8", "all", "2022/23"),
}
ABSENCE = {
    "Abs_Tot_Est_Current_Pct": ("absence.overall_percent", "all", "2024/25"),
    "Auth_Tot_Est_Current_Pct": ("absence.authorised_percent", "all", "2024/25"),
    "UnAuth_Tot_Est_Current_Pct": ("absence.unauthorised_percent", "all", "2024/25"),
}
DESTINATIONS = {
    "AllDest_Tot_Est_Current_Pct": ("ks4.destinations_percent", "all", "2022/23"),
    "Apprentice_Tot_Est_Previous2_Pct": ("ks4.destinations_apprenticeship_percent", "all", "2020/21"),
}


@pytest.mark.parametrize(
    ("name", "year", "keys"),
    [
        ("profiles_EstablishmentPerformance.json", "2024/25", PERFORMANCE),
        ("profiles_EstablishmentAbsence.json", "2024/25", ABSENCE),
        ("profiles_EstablishmentDestinations.json", "2022/23", DESTINATIONS),
    ],
)
def test_figures_of_schools_have_the_year_that_their_key_counts_to(
    name: str, year: str, keys: dict[str, tuple[str, str, str]]
) -> None:
    told = items(name)
    found = reading(KIND, name, year)
    assert (found.rows_accepted, found.rows_ignored) == (len(told), 0)
    figures = found.frame("observations")
    for item in told:
        for key, (measure, group, of) in keys.items():
            row = one(figures, urn=int(item["id"]), measure=measure, pupil_group=group, academic_year=of)
            assert row["value"] == item[key]
            assert row["reason"] == ("not_available" if item[key] is None else None)
    assert figures["value"].null_count() > 0


def test_a_year_without_progress_8_says_so_of_each_school() -> None:
    figures = reading(KIND, "profiles_EstablishmentPerformance.json", "2024/25").frame("observations")
    this_year = figures.filter(measure="ks4.progress_8", academic_year="2024/25")
    assert this_year.height == len(items("profiles_EstablishmentPerformance.json"))
    assert set(this_year["reason"]) == {"not_published"}


def test_the_register_is_read_without_guessing_memberships() -> None:
    found = reading(KIND, "profiles_Establishment.json", None)
    assert set(found.frames) == {"schools"}
    school = one(found.frame("schools"), urn=135874)
    assert (school["name"], school["phase"], school["status"]) == ("Manchester Enterprise Academy", "secondary", "open")
    assert (school["la_code"], school["type_code"], len(school["laestab"])) == ("352", "28", 7)
    assert "opened_on" not in found.frame("schools").columns


@pytest.mark.parametrize(
    ("name", "area", "code", "measure", "phase", "value"),
    [
        ("profiles_EnglandPerformance.json", "england", "E92000001", "ks4.attainment_8", "all", 45.9),
        ("profiles_EnglandAbsence.json", "england", "E92000001", "absence.overall_percent", "secondary", 8.88916),
        ("profiles_LAAbsence.json", "la", "373", "absence.overall_percent", "secondary", 9.99755),
        ("profiles_LAPerformance.json", "la", "373", "ks4.attainment_8", "all", 43.1),
        ("profiles_LADestinations.json", "la", "373", "ks4.destinations_percent", "all", 88.6),
    ],
)
def test_figures_of_areas_are_compared_with(
    name: str, area: str, code: str, measure: str, phase: str, value: float
) -> None:
    found = reading(KIND, name, "2024/25")
    assert found.comparison_rows == found.rows_accepted == len(items(name))
    row = one(found.frame("comparison_figures"), area_code=code, measure=measure, academic_year="2024/25")
    assert (row["area"], row["phase"], row["value"], row["sector"]) == (area, phase, value, "state_funded")


def test_absence_of_an_all_through_school_is_told_once(tmp_path: Path) -> None:
    found = sent(
        tmp_path,
        [
            {"id": 100000, "Abs_Tot_Est_Current_Pct": None, "Abs_TotKS2_Est_Current_Pct": 5.1},
            {"id": 100001, "Abs_Tot_Est_Current_Pct": 8.2, "Abs_TotKS2_Est_Current_Pct": 5.1},
            {"id": 100002},
        ],
    )
    figures = found.frame("observations").sort("urn")
    assert figures["value"].to_list() == [5.1, 8.2, None]
    assert one(figures, urn=100002)["reason"] == "not_available"


def test_symbols_and_parts_of_a_figure(tmp_path: Path) -> None:
    found = sent(
        tmp_path,
        [
            {
                "id": "100000",
                "Prog8_Tot_Est_Previous_Num": -0.2,
                "Prog8_CI_Lower_Est_Previous_Num": -0.4,
                "Prog8_CI_Upper_Est_Previous_Num": 0.0,
                "Prog8_TotPup_Est_Previous_Num": 151,
                "Prog8_Banding_Est_Previous": "Average",
                "Attainment8_Tot_Est_Current_Num": "c",
            }
        ],
    )
    row = one(found.frame("observations"), measure="ks4.progress_8", academic_year="2023/24")
    assert (row["value"], row["lower"], row["upper"], row["cohort"]) == (-0.2, -0.4, 0.0, 151)
    assert row["published_band"] == "average"
    assert one(found.frame("observations"), measure="ks4.attainment_8")["reason"] == "suppressed"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "file_empty"),
        ("not json", "json_malformed"),
        ('[{"id": 1', "json_malformed"),
        ('[{"id": NaN}]', "json_malformed"),
        ("[" * 100_000, "json_malformed"),
        ('{"id": 1}', "json_not_a_list"),
        ("[" + "{}," * (1 << 17) + "{}]", "file_too_large"),
        ("[" + "0," * (1 << 23) + "0,0]", "file_too_large"),
        (
            f"[{json.dumps({f'{stem}_Est_{year}': 1 for stem in STEMS for year in YEARS_BACK})}{',{}' * 131_071}]",
            "file_too_large",
        ),
        ('[{"id": 1, "apples": 2}]', "unknown_shape"),
        ("[]", "no_rows"),
        ('[{"id": 100000, "Abs_Tot_Est_Current_Pct": 5, "Abs_Tot_LA_Current_Pct": 5}]', "shape_mixed"),
        ('[{"id": 100000, "Abs_Tot_Est_Current_Pct": "5O"}]', "not_a_number"),
        ('[{"id": 100000, "Abs_Tot_Est_Current_Pct": {"a": 1}}]', "not_a_value"),
        ('[{"id": 100000, "Abs_Tot_Est_Current_Pct": true}]', "not_a_value"),
        ('[{"Abs_Tot_Est_Current_Pct": 5}]', "column_missing"),
        ('[{"id": null, "Abs_Tot_Est_Current_Pct": 5}]', "urn_missing"),
        ('[{"id": "abc", "Abs_Tot_Est_Current_Pct": 5}]', "not_a_number"),
        ('[{"id": 100000, "EstablishmentName": "=cmd|x"}]', "formula"),
        (
            '[{"id": 100000, "Abs_Tot_Est_Current_Pct": 5}, {"id": 100000, "Abs_Tot_Est_Current_Pct": 6}]',
            "key_repeated",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: str, code: str) -> None:
    found = sent(tmp_path, content)
    assert code in {error.code for error in found.errors}
    assert not found.frames


@pytest.mark.parametrize(
    ("key", "cell", "code", "named"),
    [
        ("StatusCode", "7", "unknown_word", "Open, Closed, Proposed to open"),
        ("StatusCode", "Opn", "unknown_word", "Open, Closed, Proposed to open"),
        ("PhaseOfEducationName", "Secondry", "unknown_word", "Middle deemed secondary, 16 plus"),
        ("PhaseOfEducationId", 9, "unknown_word", "Nursery, Primary"),
        ("TypeOfEstablishmentName", "Putney", "unknown_word", "Academy converter"),
        ("TypeOfEstablishmentId", "Academy converter", "not_a_code", "digits"),
        ("LAId", "Leeds", "not_a_code", "digits"),
        ("UKPRN", "1001765O", "not_a_code", "digits"),
    ],
)
def test_words_that_nobody_knows_are_refused_by_their_cell(
    tmp_path: Path, key: str, cell: str | int, code: str, named: str
) -> None:
    found = sent(tmp_path, [{"id": 100000, "EstablishmentName": "A", key: cell}])
    assert codes(found) == [(1, key, code)]
    assert str(cell) in found.errors[0].detail and named in found.errors[0].detail
    assert not found.frames


def test_items_that_are_no_objects_are_named(tmp_path: Path) -> None:
    found = sent(tmp_path, [{"id": 100000, "Abs_Tot_Est_Current_Pct": 5}, 7, None])
    assert (2, None, "not_an_object") in codes(found) and (3, None, "not_an_object") in codes(found)


def test_figures_need_a_year_and_the_register_none(tmp_path: Path) -> None:
    assert codes(sent(tmp_path, [{"id": 100000, "Abs_Tot_Est_Current_Pct": 5}], None)) == [
        (None, None, "academic_year_missing")
    ]


def test_unknown_keys_are_reported(tmp_path: Path) -> None:
    found = sent(tmp_path, [{"id": 100000, "Abs_Tot_Est_Current_Pct": 5, "Odd": 1}])
    assert [warning.column for warning in found.warnings] == ["Odd"]


@pytest.mark.parametrize(
    "key",
    ["Abs_Persistent_Est_Current_Num", "Attainment8_Tot_Est_Current2_Num", "Attainment8_Tot_UK_Current_Num", "id", ""],
)
def test_other_keys_are_not_read(key: str) -> None:
    assert parse_key(key) is None


def test_a_byte_order_mark_is_no_fault() -> None:
    assert (Path(__file__).parents[2] / "data" / "profiles_LAAbsence.json").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (
        reading(KIND, "profiles_LAAbsence.json", "2024/25")
        .frame("comparison_figures")
        .filter(pl.col("value") > 8)
        .height
    )


def test_an_object_that_gives_a_name_twice_is_refused(tmp_path: Path) -> None:
    item = '{"id": 135874, "Attainment8_Tot_Est_Current_Num": 46.4, "Attainment8_Tot_Est_Current_Num": 50, "a": "b:c"}'
    assert codes(sent(tmp_path, f"[{item}]")) == [(None, "Attainment8_Tot_Est_Current_Num", "name_repeated")]
    assert sent(tmp_path, "[" + item.replace('"Attainment8_Tot_Est_Current_Num": 50, ', "") + "]").is_valid


def test_progress_8_of_a_year_that_has_none_is_refused(tmp_path: Path) -> None:
    content = json.loads(json.dumps(items("profiles_EstablishmentPerformance.json")))
    found = sent(tmp_path, content, "2025/26")
    assert {error.code for error in found.errors} == {"not_published_then"}
    assert "2024/25" in found.errors[0].detail and "Is academic_year right?" in found.errors[0].detail
    of_england = [{"id": 1, "Prog8_Avg_Eng_Current_Num": -0.03}]
    assert {error.code for error in sent(tmp_path, of_england).errors} == {"not_published_then"}
