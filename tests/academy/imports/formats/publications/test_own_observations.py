"""A trust's own figures: CSV and NDJSON say the same, every fault is told, and blocks don't show."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from academy.imports.formats.cells.symbols import REASONS
from academy.imports.formats.kinds import read_batches
from academy.imports.formats.layouts import records
from academy.imports.formats.reading import MOST_ERRORS_KEPT, SCHEMAS, Request, copy_csv
from academy.measures.rules import MEASURES, PERIODS, PUPIL_GROUPS
from tests.academy.imports.formats.tables import WholeReading, codes, csv_file, one, read_file

KIND = "observations"
Row = Mapping[str, Any]
Send = Callable[..., WholeReading]


def good(**changes: Any) -> dict[str, Any]:
    return {"urn": 135874, "measure": "ks4.attainment_8", "academic_year": "2025/26", "value": 46.4, **changes}


def as_csv(folder: Path, rows: Sequence[Row]) -> Path:
    return csv_file(folder, [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows])


def as_ndjson(folder: Path, rows: Sequence[Row]) -> Path:
    path = folder / "file.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(params=["csv", "ndjson"])
def send(request: pytest.FixtureRequest, tmp_path: Path) -> Send:
    """Rows, sent as CSV and as NDJSON; errors count lines from 2 in CSV and from 1 in NDJSON."""
    write = as_csv if request.param == "csv" else as_ndjson

    def sent(rows: Sequence[Row], year: str | None = None, today: date | None = None) -> WholeReading:
        return read_file(KIND, write(tmp_path, rows), academic_year=year, today=today)

    return sent


def faults(found: WholeReading) -> list[tuple[str | None, str]]:
    return [(column, code) for _, column, code in codes(found)]


def test_a_figure_is_read_with_all_that_belongs_to_it(send: Send) -> None:
    found = send(
        [good(pupil_group="girls", period="autumn", lower=44, upper="48.5", cohort="1,180", published_band="Average")]
    )
    assert found.errors == []
    assert (found.rows_read, found.rows_accepted, found.rows_ignored) == (1, 1, 0)
    frame = found.frame("observations")
    assert dict(frame.schema) == dict(SCHEMAS["observations"])
    assert one(frame) == {
        "urn": 135874,
        "measure": "ks4.attainment_8",
        "pupil_group": "girls",
        "academic_year": "2025/26",
        "period": "autumn",
        "value": 46.4,
        "reason": None,
        "lower": 44.0,
        "upper": 48.5,
        "cohort": 1180,
        "published_band": "average",
    }


def test_everyone_and_the_whole_year_go_without_saying(send: Send) -> None:
    row = one(send([good()]).frame("observations"))
    assert (row["pupil_group"], row["period"]) == ("all", "year")
    row = one(send([good(pupil_group="", period=None)]).frame("observations"))
    assert (row["pupil_group"], row["period"]) == ("all", "year")


@pytest.mark.parametrize("year", ["2025-26", "202526", "2025-2026", " 2025/26 "])
def test_years_are_read_however_they_are_written(send: Send, year: str) -> None:
    assert one(send([good(academic_year=year)]).frame("observations"))["academic_year"] == "2025/26"


def test_the_year_may_be_said_once_for_the_file(send: Send) -> None:
    row = good()
    del row["academic_year"]
    assert one(send([row], "2024/25").frame("observations"))["academic_year"] == "2024/25"
    assert ("academic_year", "value_missing") in faults(send([row])) or (
        "academic_year",
        "column_missing",
    ) in faults(send([row]))


@pytest.mark.parametrize(
    ("value", "reason", "expected"),
    [
        ("SUPP", None, "suppressed"),
        ("z", None, "not_applicable"),
        (None, "suppressed", "suppressed"),
        ("", "no_entries", "no_entries"),
        (None, "SUPP", "suppressed"),
        ("x", "redacted", "redacted"),
    ],
)
def test_a_figure_without_a_number_has_a_reason(send: Send, value: Any, reason: Any, expected: str) -> None:
    found = send([good(value=value, reason=reason, lower=1, upper=2, cohort=4, published_band="1")])
    row = one(found.frame("observations"))
    assert (row["value"], row["reason"], row["cohort"]) == (None, expected, 4)
    assert row["lower"] is row["upper"] is row["published_band"] is None, "they would tell what is hidden"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"urn": None}, ("urn", "value_missing")),
        ({"urn": "abc"}, ("urn", "not_a_number")),
        ({"urn": 12}, ("urn", "urn_invalid")),
        ({"urn": 135874.5}, ("urn", "not_a_whole_number")),
        ({"urn": "1.4E+05"}, ("urn", "scientific_notation")),
        ({"cohort": "1e2"}, ("cohort", "scientific_notation")),
        ({"measure": "ks4.progress8"}, ("measure", "unknown_measure")),
        ({"measure": ""}, ("measure", "value_missing")),
        ({"academic_year": "2025/27"}, ("academic_year", "not_an_academic_year")),
        ({"pupil_group": "everyone"}, ("pupil_group", "unknown_pupil_group")),
        ({"period": "lent"}, ("period", "unknown_period")),
        ({"value": None}, ("value", "value_missing")),
        ({"value": " "}, ("value", "value_missing")),
        ({"value": "4O.5"}, ("value", "not_a_number")),
        ({"value": "=1+1"}, ("value", "not_a_number")),
        ({"value": "1e999"}, ("value", "out_of_range")),
        ({"value": 150}, ("value", "out_of_range")),
        ({"value": -0.1}, ("value", "out_of_range")),
        ({"value": 5, "reason": "suppressed"}, ("reason", "value_and_reason")),
        ({"value": None, "reason": "lazy"}, ("reason", "unknown_reason")),
        ({"lower": 50, "upper": 40}, ("lower", "interval_reversed")),
        ({"lower": "4O"}, ("lower", "not_a_number")),
        ({"cohort": -1}, ("cohort", "out_of_range")),
        ({"cohort": "1O"}, ("cohort", "not_a_number")),
        ({"published_band": "6"}, ("published_band", "not_a_band")),
    ],
)
def test_a_faulty_cell_keeps_the_file_out(send: Send, changes: dict[str, Any], fault: tuple[str, str]) -> None:
    found = send([good(urn=100000), good(**changes)])
    assert faults(found) == [fault]
    assert not found.frames
    assert (found.rows_read, found.rows_accepted) == (2, 1)
    assert found.errors[0].row in (2, 3), "the second row: line 2 of NDJSON, row 3 of a spreadsheet"


def test_a_row_of_another_year_than_was_said_is_refused(send: Send) -> None:
    found = send([good(urn=100000), good(academic_year="2024/25"), good(urn=100001, academic_year=None)], "2025/26")
    assert faults(found) == [("academic_year", "academic_year_differs")]
    assert "2024/25" in found.errors[0].detail and "2025/26" in found.errors[0].detail


def test_figures_of_a_year_that_has_not_begun_are_refused(tmp_path: Path) -> None:
    rows = [good(urn=100000), good(academic_year="2026/27"), good(academic_year="2044/45")]
    found = read_file(KIND, as_csv(tmp_path, rows), academic_year=None, latest_year="2026/27")
    assert codes(found) == [(4, "academic_year", "academic_year_ahead")]


def test_a_trust_may_have_its_own_figures_of_a_year_without_publication(send: Send) -> None:
    assert send([good(measure="ks4.progress_8", academic_year="2024/25", value=0.3)]).is_valid


@pytest.mark.parametrize(
    "again",
    [
        '{"urn":100000,"measure":"ks4.attainment_8","academic_year":"2025/26","value":50,"value":40}',
        '{"urn":100000,"measure":"ks4.attainment_8","academic_year":"2025/26","value":null, "value" : 40}',
        '{"urn":100000,"measure":"ks4.attainment_8","academic_year":"2025/26","value":40,"value":null}',
        '{"urn":100000,"urn":100001,"measure":"ks4.attainment_8","academic_year":"2025/26","value":40}',
        '{"urn":100000,"u\\u0072n":100001,"measure":"ks4.attainment_8","academic_year":"2025/26","value":40}',
        '{"urn":100000,"measure":"ks4.attainment_8","academic_year":"2025/26","value":40,"odd":1,"odd":2}',
        '{"urn":100000,"measure":"ks4.attainment_8","academic_year":"2025/26","value":40,"band":1,"band":2}',
    ],
)
@pytest.mark.parametrize("more", [[], ["{oops"]], ids=["read fast", "read slowly"])
def test_an_object_that_gives_a_name_twice_is_refused(tmp_path: Path, again: str, more: list[str]) -> None:
    lines = [json.dumps(good(urn=100002)), again, json.dumps(good(urn=100003, reason=None, odd="a: b")), *more]
    found = read_file(KIND, csv_file(tmp_path, "\n".join(lines) + "\n"), academic_year=None)
    expected: list[tuple[int | None, str | None, str]] = [(2, None, "name_repeated")]
    assert codes(found) == expected + [(4, None, "json_malformed")] * len(more)
    assert not found.frames


def test_a_line_that_cannot_be_read_has_one_error(tmp_path: Path) -> None:
    text = "oops\n" + json.dumps(good()) + "\n[]\noops\n"
    found = read_file(KIND, csv_file(tmp_path, "\n{}\n" + text), academic_year="2025/26")
    assert codes(found) == [
        (2, "measure", "value_missing"),
        (2, "urn", "value_missing"),
        (2, "value", "value_missing"),
        (3, None, "json_malformed"),
        (5, None, "not_an_object"),
        (6, None, "json_malformed"),
    ]
    assert (found.rows_read, found.rows_accepted) == (5, 1)


def test_a_cell_that_is_no_value_has_one_error(tmp_path: Path) -> None:
    rows = [good(value=[1]), good(urn={}), good(urn=100000, measure=True)]
    found = read_file(KIND, as_ndjson(tmp_path, rows), academic_year=None)
    assert [error[:2] for error in codes(found)] == [(1, "value"), (2, "urn"), (3, "measure")]
    more = [good(urn=100009), good(urn=100010, band=1)]
    slowly = read_file(KIND, as_ndjson(tmp_path, [*more, *rows]), academic_year=None)
    assert codes(slowly) == [(3, "value", "not_a_value"), (4, "urn", "not_a_value"), (5, "measure", "not_a_value")]


def test_blank_lines_of_ndjson_cost_nothing_and_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 4096)
    found = read_file(KIND, csv_file(tmp_path, json.dumps(good()) + "\n" * 20_000 + "{oops"), academic_year=None)
    assert codes(found) == [(20_001, None, "json_malformed")]


def test_an_unknown_measure_is_told_which_was_meant(send: Send) -> None:
    found = send([good(measure="ks4.progress8")])
    assert "ks4.progress_8 meant" in found.errors[0].detail


def test_a_key_that_is_given_twice_is_refused_naming_both_rows(send: Send) -> None:
    found = send([good(), good(urn=100000), good(value=47, pupil_group="all", period="year")])
    assert faults(found) == [(None, "key_repeated")]
    is_json = found.errors[0].row == 3
    named = "Number 3 repeats number 1 (the first is number 1)" if is_json else "Row 4 repeats row 2"
    assert found.errors[0].detail.startswith(f"{named}: same ")
    assert send([good(), good(period="autumn"), good(pupil_group="boys"), good(academic_year="2024/25")]).is_valid


def test_unknown_columns_are_warned_of(send: Send) -> None:
    found = send([good(resaon="x", colour="red")])
    assert found.is_valid
    assert {warning.column for warning in found.warnings} == {"resaon", "colour"}


def test_only_so_many_errors_are_kept_and_all_are_counted(send: Send) -> None:
    rows = [good(urn=100000 + i, value="1.2.3") for i in range(MOST_ERRORS_KEPT + 300)]
    found = send(rows)
    assert (len(found.errors), found.errors_total) == (MOST_ERRORS_KEPT, MOST_ERRORS_KEPT + 300)
    assert [error.row for error in found.errors] == sorted(error.row or 0 for error in found.errors)


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    found = read_file(KIND, csv_file(tmp_path, "colour\nred\n"), academic_year=None)
    assert {column for column, code in faults(found)} == {"urn", "measure", "academic_year", "value"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file_empty"),
        ("urn,measure,academic_year,value\n", "no_rows"),
        ("[]", "json_is_a_list"),
        ('[{"urn": 1}]', "json_is_a_list"),
        ("{}", "value_missing"),
        ('{"urn": 100000\n', "json_malformed"),
        ('{"urn": 100000}\n[1]\n', "not_an_object"),
        ('{"urn": 100000, "value": [1]}\n{"urn": oops}\n', "not_a_value"),
        ('{"urn": 100000}{"urn": 100001}\n', "json_malformed"),
        ('{"urn": 100000, "value": NaN}\n', "json_malformed"),
        ("urn,measure,academic_year,value\n100000,ks4.attainment_8,2025/26,4,9\n", "row_too_long"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, text: str, code: str) -> None:
    found = read_file(KIND, csv_file(tmp_path, text), academic_year=None)
    assert code in {error.code for error in found.errors}
    assert not found.frames


@pytest.mark.parametrize("data", [b"urn,measure\n100000,caf\xe9\n", b'{"urn": 100000, "measure": "caf\xe9"}\n'])
def test_text_that_is_not_utf8_is_refused_not_guessed(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(data.replace(b"urn,measure", b"urn,measure,academic_year,value"))
    assert {code for _, code in faults(read_file(KIND, file, academic_year=None))} == {"encoding"}


def test_a_faulty_line_is_named_and_the_others_are_still_checked(tmp_path: Path) -> None:
    lines = [json.dumps(good(urn=100000 + i)) for i in range(5)]
    lines[1] = "{oops"
    lines[3] = json.dumps(good(urn=100003, value="1,5"))
    file = csv_file(tmp_path, "\n".join(["", *lines, ""]) + "\n")
    found = read_file(KIND, file, academic_year=None)
    assert (3, None, "json_malformed") in codes(found)
    assert (5, "value", "not_a_number") in codes(found)
    assert found.rows_accepted == 3


def rows_of(count: int) -> list[dict[str, Any]]:
    chosen = random.Random(7)
    percents = [code for code in MEASURES if code.endswith("_percent")]
    return [
        {
            "urn": 100_000 + number // 40,
            "measure": percents[number % 20],
            "academic_year": "2025/26",
            "period": ("autumn", "spring")[number // 20 % 2],
            "value": None if number % 9 == 0 else round(chosen.uniform(0, 100), 2),
            "reason": "suppressed" if number % 9 == 0 else None,
            "cohort": number % 300,
        }
        for number in range(count)
    ]


@pytest.mark.parametrize("write", [as_csv, as_ndjson])
def test_a_file_reads_alike_in_many_blocks_and_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, Sequence[Row]], Path]
) -> None:
    file = write(tmp_path, rows_of(1000))
    whole = read_file(KIND, file, academic_year=None)
    monkeypatch.setattr(records, "BLOCK", 8192)
    batches = list(read_batches(KIND, file, Request()))
    assert len(batches) > 6
    done = [batch.done for batch in batches]
    assert done == sorted(done) and done[0] < 0.3 and done[-1] == 1.0
    assert sum(batch.rows_accepted for batch in batches) == whole.rows_accepted == 1000
    again = read_file(KIND, file, academic_year=None)
    assert again.frame("observations").equals(whole.frame("observations"))


def test_a_key_repeated_in_another_block_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 2048)
    found = read_file(KIND, as_csv(tmp_path, [*rows_of(500), rows_of(1)[0]]), academic_year=None)
    assert codes(found) == [(502, None, "key_repeated")]


def test_csv_and_ndjson_of_the_same_rows_give_the_same_bytes_to_copy(tmp_path: Path) -> None:
    # All columns: a CSV without one says nothing of it, an object of NDJSON is the whole figure.
    rows = [{**row, "lower": None, "upper": None, "published_band": None} for row in rows_of(400)]
    read = [read_file(KIND, write(tmp_path, rows), academic_year=None) for write in (as_csv, as_ndjson)]
    one_way, other_way = (copy_csv(found.frame("observations")) for found in read)
    assert one_way == other_way
    first = one_way.split(b"\n")[0].decode().split(",")
    key = ["100000", "ks4.progress_8_coverage_percent", "all", "2025/26", "autumn"]
    assert first == [*key, "", "suppressed", "", "", "0", ""]
    assert one_way.count(b"\n") == 400


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", "SUPP", "z", "5", "5.5%", "1,000", "nan", "=1", "2025/26", "all", "year", "ks4.attainment_8"]),
    st.sampled_from(sorted([*MEASURES, *PERIODS, *PUPIL_GROUPS, *REASONS])),
    st.integers(-5, 200_000),
    st.floats(-10, 110, allow_nan=False),
    st.text(max_size=6),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "urn": st.one_of(st.integers(100_000, 100_003), CELLS),
            "measure": CELLS,
            "academic_year": CELLS,
            "value": CELLS,
        },
        optional=dict.fromkeys(
            ("pupil_group", "period", "reason", "lower", "upper", "cohort", "published_band", "odd"), CELLS
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=50, deadline=None)
@given(rows=ROWS)
def test_whatever_is_sent_is_valid_or_refused_and_what_is_valid_is_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    found = read_file(KIND, as_ndjson(tmp_path_factory.mktemp("sent"), rows), academic_year=None)
    assert found.errors_total >= len(found.errors)
    assert found.is_valid == (not found.errors)
    if found.is_valid:
        for row in found.frame("observations").iter_rows(named=True):
            assert (row["value"] is None) != (row["reason"] is None)
            assert row["reason"] is None or row["reason"] in REASONS
            limits = MEASURES[row["measure"]]
            assert row["value"] is None or limits.minimum <= row["value"] <= limits.maximum
            assert row["lower"] is None or row["upper"] is None or row["lower"] <= row["upper"]
            assert row["period"] in PERIODS and row["pupil_group"] in PUPIL_GROUPS
    else:
        assert all(error.detail and error.code for error in found.errors)
