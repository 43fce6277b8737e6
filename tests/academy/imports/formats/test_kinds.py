"""What must hold of every kind: its template, its example, and that no bytes make it fall over."""

import csv
import io
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from academy.imports.formats.kind import Kind
from academy.imports.formats.kinds import KINDS
from academy.imports.formats.reading import SCHEMAS, Reading
from academy.observations.rules import Layer
from tests.academy.imports.formats.tables import csv_file, read_file

YEAR = "2018/19"
CSV_KINDS = [kind for kind in KINDS.values() if "text/csv" in kind.media_types]


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_kind_is_described(kind: Kind) -> None:
    assert KINDS[kind.code] is kind
    assert (kind.layer is Layer.TRUST) == (kind.code == "observations")
    assert kind.title and kind.publisher and kind.notes and kind.media_types
    names = [name.casefold() for column in kind.columns for name in (column.name, *column.aliases)]
    assert len(names) == len(set(names)), "no column goes by two names"
    assert all(column.meaning for column in kind.columns)
    assert any(column.required for column in kind.columns)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
@pytest.mark.parametrize("every_column", [True, False], ids=["whole template", "example alone"])
def test_the_example_of_a_template_can_be_imported(kind: Kind, every_column: bool, tmp_path: Path) -> None:
    file = csv_file(tmp_path, kind.example(every_column=every_column))
    takes_year = kind.needs_academic_year or kind.code == "dfe-school-profiles"
    found = read_file(kind.code, file, academic_year=YEAR if takes_year else None)
    assert found.errors == []
    assert found.rows_accepted >= 1
    assert set(found.frames) <= set(SCHEMAS) and found.frames


WORDS = [
    "URN",
    "urn",
    ",",
    "\n",
    '"',
    "\r\n",
    "100000",
    "SUPP",
    "{",
    "}",
    "[",
    "]",
    ":",
    "RECTYPE",
    "ATT8SCR",
    "1",
    "\x00",
    "=1",
    "value",
    "measure",
    "id",
    ";",
    "time_period",
    "202425",
    "geographic_level",
    "National",
    "Rating",
]
BYTES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.lists(st.sampled_from([*(word.encode() for word in WORDS), b"\xff", b"Group UID"]), max_size=60).map(b"".join),
)


@pytest.mark.parametrize("code", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=BYTES)
def test_no_bytes_make_a_kind_fall_over(code: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    found = read_file(code, file, academic_year=YEAR)
    assert found.is_valid or (found.errors and not found.frames)


@pytest.mark.parametrize("kind", CSV_KINDS, ids=[kind.code for kind in CSV_KINDS])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_strange_cells_in_a_real_layout_are_told_not_thrown(kind: Kind, data: st.DataObject, tmp_path: Path) -> None:
    names = list(kind.example_rows[0])
    rows = [dict(row) for row in kind.example_rows]
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.sampled_from(rows))
        row[data.draw(st.sampled_from(names))] = data.draw(
            st.one_of(st.text(max_size=10), st.sampled_from(["", "NULL", "1e999", "=1", "-1", "NAT", "x" * 400]))
        )
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    file = tmp_path / "file.csv"
    file.write_bytes(text.getvalue().encode("utf-8", "replace"))
    found = read_file(kind.code, file, academic_year=YEAR)
    for error in found.errors:
        assert error.code and error.detail and len(error.detail) < 2000
        assert "\x00" not in error.detail


@pytest.mark.parametrize("code", KINDS)
def test_an_empty_file_and_a_file_of_something_else_are_refused(code: str, tmp_path: Path) -> None:
    for content in ("", "apples,pears\n1,2\n", "<html><body>Service unavailable</body></html>\n"):
        found = read_file(code, csv_file(tmp_path, content), academic_year=YEAR)
        assert not found.is_valid and not found.frames


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_faulty_row_is_counted_once_and_neither_as_accepted_nor_as_ignored(kind: Kind, tmp_path: Path) -> None:
    refused = 0
    for name in kind.example_rows[0]:
        for cell in ("01/12/2999", "=1", ""):
            rows = [{**kind.example_rows[0], name: cell}, *kind.example_rows[1:]]
            is_csv = "text/csv" in kind.media_types
            text = json.dumps(rows) if not is_csv else [{key: str(value) for key, value in row.items()} for row in rows]
            found = read_file(
                kind.code,
                csv_file(tmp_path, text),
                academic_year=YEAR if kind.needs_academic_year else None,
                latest_year="2026/27",
                today=date(2026, 11, 25),
            )
            faulty = {error.row for error in found.errors if error.row is not None}
            counts = (found.rows_accepted, found.rows_ignored, len(faulty))
            assert found.rows_read == sum(counts) and min(counts) >= 0, (name, cell, counts, found.errors)
            refused += bool(faulty)
    assert refused or kind.code == "dfe-school-profiles"


def test_a_reading_adds_up() -> None:
    whole = Reading(done=0.0)
    for number in range(3):
        batch = Reading(source="a source" if number == 0 else "", rows_read=2, rows_accepted=1, rows_ignored=1)
        whole.add(batch)
    assert (whole.source, whole.rows_read, whole.rows_accepted, whole.rows_ignored) == ("a source", 6, 3, 3)


def test_an_unknown_kind_is_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        read_file("dfe-ks5", csv_file(tmp_path, "a\n"), academic_year=None)


@pytest.mark.parametrize("meant", CSV_KINDS, ids=[kind.code for kind in CSV_KINDS])
def test_a_file_of_another_kind_is_recognised_by_its_header(meant: Kind, tmp_path: Path) -> None:
    file = csv_file(tmp_path, meant.example(every_column=False))
    for sent in CSV_KINDS:
        missing = [
            e.detail for e in read_file(sent.code, file, academic_year=YEAR).errors if e.code == "column_missing"
        ]
        if missing:
            assert sum(f"The header fits the kind {meant.code}." in detail for detail in missing) == 1, (sent, missing)


def test_a_header_that_fits_no_kind_names_none(tmp_path: Path) -> None:
    (error,) = read_file("dfe-ks2", csv_file(tmp_path, "RECTYPE,URN,LEA\n1,115851,850\n"), academic_year=YEAR).errors
    assert "fits" not in error.detail
