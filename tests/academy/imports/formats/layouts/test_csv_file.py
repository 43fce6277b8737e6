"""CSV as it is found: encodings, quoting, ragged rows, headers, and blocks that don't show in what is
read."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from academy.imports.formats.layouts import records as blocks
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.reading import Column, FileRefused, RowError

A, B, C = Column("A", "first"), Column("B", "second"), Column("C", "third")
DATA = Path(__file__).parents[2] / "data"


def write(path: Path, data: bytes) -> Path:
    file = path / "file.csv"
    file.write_bytes(data)
    return file


Row = tuple[Any, ...]


def read(path: Path, *, cp1252: bool = True) -> tuple[list[Row], list[RowError]]:
    sheet = CsvFile(path, may_be_cp1252=cp1252)
    chosen = sheet.choose((A, B, C))
    rows: list[Row] = []
    errors: list[RowError] = []
    for frame, wrong, done in sheet.batches(chosen):
        rows += frame.select("row", *chosen).rows()
        errors += wrong
        assert 0 < done <= 1
    return rows, errors


def refusal(path: Path, *, cp1252: bool = False) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        read(path, cp1252=cp1252)
    return refused.value


@pytest.fixture(params=[1 << 24, 64, 7], ids=["whole", "64-byte blocks", "7-byte blocks"])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Files are read in blocks; wherever those end, the rows are the same."""
    monkeypatch.setattr(blocks, "BLOCK", request.param)
    return int(request.param)


@pytest.mark.usefixtures("block")
class TestRows:
    def test_rows_are_counted_as_a_spreadsheet_does(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b"A,B,C\n1,2,3\n4,5,6"))
        assert rows == [(2, "1", "2", "3"), (3, "4", "5", "6")]

    def test_line_ends_of_windows_and_a_byte_order_mark(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b"\xef\xbb\xbfA,B,C\r\n1,2,3\r\n"))
        assert rows == [(2, "1", "2", "3")]

    def test_cells_of_several_lines_are_one_row(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b'A,B,C\n1,"two\nlines, quoted ""so""",3\n4,5,6\n'))
        assert rows == [(2, "1", 'two\nlines, quoted "so"', "3"), (3, "4", "5", "6")]

    def test_short_rows_end_with_empty_cells(self, tmp_path: Path) -> None:
        rows, errors = read(write(tmp_path, b"A,B,C\n1\n4,5,6\n"))
        assert rows == [(2, "1", None, None), (3, "4", "5", "6")]
        assert errors == []

    def test_blank_rows_are_left_out_and_still_counted(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b"A,B,C\n\n1,2,3\n,,\n4,5,6\n\n"))
        assert rows == [(3, "1", "2", "3"), (5, "4", "5", "6")]

    def test_empty_cells_beyond_the_header_are_harmless(self, tmp_path: Path) -> None:
        rows, errors = read(write(tmp_path, b"A,B,C\n1,2,3,,\n4,5,6\n"))
        assert [row[1:] for row in rows] == [("1", "2", "3"), ("4", "5", "6")]
        assert errors == []

    def test_full_cells_beyond_the_header_are_faults(self, tmp_path: Path) -> None:
        _, errors = read(write(tmp_path, b"A,B,C\n1,2,3\n4,5,6,7\n8,9,0,,x\n"))
        assert [(error.row, error.code) for error in errors] == [(3, "row_too_long"), (4, "row_too_long")]

    def test_quotation_marks_within_a_cell_are_text(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b'A,B,C\n1,5" x 4",3\n4,5,6\n'))
        assert rows == [(2, "1", '5" x 4"', "3"), (3, "4", "5", "6")]

    def test_a_quotation_mark_that_is_never_closed_is_refused(self, tmp_path: Path) -> None:
        assert refusal(write(tmp_path, b'A,B,C\n1,2,3\n4,"5,6\n7,8,9\n')).code == "quote_unclosed"

    def test_text_that_is_not_utf8_is_refused_with_its_line(self, tmp_path: Path) -> None:
        refused = refusal(write(tmp_path, b"A,B,C\n1,2,3\nSt Am\xe9lie,5,6\n"))
        assert (refused.code, refused.row) == ("encoding", 3)

    def test_nul_bytes_are_refused_with_their_line(self, tmp_path: Path) -> None:
        refused = refusal(write(tmp_path, b"A,B,C\n1,2,3\n4,5\x00,6\n"))
        assert (refused.code, refused.row) == ("nul_byte", 3)

    def test_windows_1252_is_read_where_it_may_be(self, tmp_path: Path) -> None:
        rows, _ = read(write(tmp_path, b"A,B,C\nSt Am\xe9lie \x96 Infants,5,6\n"))
        assert rows[0][1] == "St Amélie – Infants"  # noqa: RUF001 (an en dash)


LONG = b"x" * (blocks.LONGEST_RECORD + 10)


@pytest.mark.parametrize(
    ("data", "code", "row"),
    [
        (b"A,B,C\n1,2,3\n4," + LONG, "line_too_long", 3),
        (b"A,B,C\n1,2,3\n4," + b"," * (2 * len(LONG)) + b"\n7,8,9\n", "line_too_long", 3),
        (b'A,B,C\n1,2,3\n4,"x' + LONG, "quote_unclosed", 3),
        (b"A,B," + LONG + b"\n1,2,3\n", "line_too_long", 1),
        (b'A,B,"C' + LONG, "quote_unclosed", 1),
    ],
    ids=["a cell", "commas", "an open quotation mark", "the header", "an open quotation mark in the header"],
)
def test_a_line_that_does_not_end_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, code: str, row: int
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 1 << 20)
    refused = refusal(write(tmp_path, data))
    assert (refused.code, refused.row) == (code, row)


def test_blocks_have_few_cells_however_short_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MOST_CELLS", 300)
    file = write(tmp_path, b"A,B,C\n" + b"1\n" * 1000 + b"\n,,\r\n" * 5000 + b"4,5,6\n")
    sheet = CsvFile(file, may_be_cp1252=False)
    chosen = sheet.choose((A, B, C))
    heights, last = [], None
    for frame, _, _ in sheet.batches(chosen):
        heights.append(frame.height)
        last = frame.row(-1) if frame.height else last
    assert max(heights) <= 100
    assert sum(heights) == 1001
    assert last == ("4", "5", "6", 11_002)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"\xff\xfeA\x00,\x00", "encoding_utf16"),
        (b"\xfe\xff\x00A\x00,", "encoding_utf16"),
        (b"\x1f\x8b\x08\x00", "packed_twice"),
        (b"\n\n  \n", "header_missing"),
        (b"A;B;C\n1;2;3\n", "delimiter"),
        (b"A\tB\tC\n1\t2\t3\n", "delimiter"),
        (b"A,B,C\r1,2,3\r", "line_ends"),
        (b"A,B,a\n1,2,3\n", "column_duplicated"),
        (b"A,B,C" + b"," * 4096 + b"\n1,2,3\n", "columns_too_many"),
        (b"\n" * (5 << 20) + b"A,B,C\n1,2,3\n", "header_missing"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, data: bytes, code: str) -> None:
    assert refusal(write(tmp_path, data)).code == code


def test_bytes_of_no_encoding_are_refused_where_windows_1252_may_be(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, b"A,B,C\n\x81\xe9,2,3\n"), cp1252=True).code == "encoding"


def test_names_are_matched_without_regard_to_case_and_spacing(tmp_path: Path) -> None:
    sheet = CsvFile(write(tmp_path, b" a , Old  name ,c\n1,2,3\n"), may_be_cp1252=False)
    assert sheet.choose((A, Column("B", "second", aliases=("old name",)), C)) == {"A": 0, "B": 1, "C": 2}


@pytest.mark.parametrize(
    "spelled", ["Academic Year", "academic year", "AcademicYear", "ACADEMIC-YEAR", "academic__year"]
)
def test_names_are_matched_without_regard_to_what_parts_their_words(tmp_path: Path, spelled: str) -> None:
    sheet = CsvFile(write(tmp_path, f"A,{spelled}\n1,2\n".encode()), may_be_cp1252=False)
    year = Column("academic_year", "The year", required=True)
    assert sheet.choose((year, A)) == {"A": 0, "academic_year": 1}
    assert sheet.warnings == []


def test_a_name_that_is_spelled_exactly_comes_before_one_that_is_alike(tmp_path: Path) -> None:
    columns = (Column("P8MEA_LO", "one"), Column("P8MEALO", "another"))
    sheet = CsvFile(write(tmp_path, b"P8MEALO,x\n1,2\n"), may_be_cp1252=False)
    assert sheet.choose(columns) == {"P8MEALO": 0}
    passed_over = CsvFile(write(tmp_path, b"P8MEALO,x\n1,2\n"), may_be_cp1252=False)
    assert passed_over.choose(columns[:1], known=("P8MEALO",)) == {}
    twice = CsvFile(write(tmp_path, b"P8 MEA LO,P8-MEA-LO\n1,2\n"), may_be_cp1252=False)
    with pytest.raises(FileRefused) as refused:
        twice.choose(columns[:1])
    assert refused.value.code == "column_duplicated"


def test_all_missing_required_columns_are_named(tmp_path: Path) -> None:
    sheet = CsvFile(write(tmp_path, b"x,y\n1,2\n"), may_be_cp1252=False)
    sheet.choose((Column("A", "first", required=True), Column("B", "second", required=True), C))
    assert [(error.row, error.column, error.code) for error in sheet.errors] == [
        (1, "A", "column_missing"),
        (1, "B", "column_missing"),
    ]


def test_unknown_columns_are_warned_of_one_by_one_or_together(tmp_path: Path) -> None:
    few = CsvFile(write(tmp_path, b"A,odd,,more\n1,2,3,4\n"), may_be_cp1252=False)
    few.choose((A,))
    assert [warning.column for warning in few.warnings] == ["odd", "more"]
    many = CsvFile(write(tmp_path, ",".join(f"c{i}" for i in range(60)).encode() + b"\n"), may_be_cp1252=False)
    many.choose((A,))
    assert len(many.warnings) == 1
    assert "60 columns" in many.warnings[0].detail and "c59" in many.warnings[0].detail


def test_the_header_may_follow_empty_lines(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, b"\n,,\nA,B,C\n1,2,3\n"))
    assert rows == [(4, "1", "2", "3")]


# The csv module writes a lone carriage return without quotes, which nobody can read back.
CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=100, deadline=None)
@given(
    table=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    size=st.integers(5, 200),
)
def test_whatever_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]], quoting: int, end: str, size: int
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    writer.writerows([("A", "B", "C"), *table])
    file = write(tmp_path_factory.mktemp("csv"), buffer.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)
        rows, errors = read(file, cp1252=False)
    assert errors == []
    expected = [(number, *cells) for number, cells in enumerate(table, 2) if any(cells)]
    found = [(number, *(cell or "" for cell in cells)) for number, *cells in rows]
    assert found == expected


def _files() -> Iterator[Path]:
    yield from sorted(DATA.glob("*.csv"))


@pytest.mark.parametrize("path", list(_files()), ids=lambda path: path.stem)
@pytest.mark.parametrize("size", [1 << 24, 3001])
def test_real_tables_are_read_cell_by_cell_as_the_csv_module_reads_them(
    path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", size)
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *records = csv.reader(file)
    sheet = CsvFile(path, may_be_cp1252=True)
    chosen = {str(place): place for place in range(len(header))}
    frames = [frame for frame, errors, _ in sheet.batches(chosen) if not errors]
    found = pl.concat(frames)
    assert found.height == len(records)
    for row, *cells in found.select("row", *chosen).iter_rows():
        record = records[row - 2]
        assert [cell or "" for cell in cells] == record + [""] * (len(header) - len(record))
