"""Reading one cell, and reading a column as its cells are read."""

import math
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.imports.formats.cells.columns import (
    MOST_FAULTS,
    Parsed,
    read_bands,
    read_codes,
    read_dates,
    read_identifiers,
    read_numbers,
    read_texts,
    read_whole_numbers,
)
from academy.imports.formats.cells.values import (
    Unreadable,
    is_formula,
    read_band,
    read_date,
    read_identifier,
    read_number,
    read_whole_number,
    shown,
)

NUMBERS = [
    ("1", 1.0), ("-0.97", -0.97), ("+2", 2.0), (".5", 0.5), ("5.", 5.0), ("63%", 63.0), ("32.00%", 32.0),
    ("32.00 %", 32.0), (" 4 ", 4.0), ("1,234", 1234.0), ("12,345,678.5", 12345678.5), ("-1,234", -1234.0),
    ("9.46290446819423e-05", 9.46290446819423e-05), ("1E3", 1000.0), ("00012", 12.0), ("\u22120.5", -0.5),
    ("\u00a07\u00a0", 7.0), ("0", 0.0), ("-0", 0.0), ("-0.0", 0.0), ("100.0", 100.0),
]  # fmt: skip
NO_NUMBERS = [
    "1,5", "1,23", "12,34,567", "1 000", "1_000", "0x10", "nan", "NaN", "inf", "-Infinity", "1e", "e5", "--1", "5%%",
    "%", "=1+1", "=cmd|' /C calc'!A0", "ten", "1.2.3", "1-2", "\u0661", "12%5", "+", "1e12345", "TRUE",
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_numbers_are_read_however_they_are_written(text: str, value: float) -> None:
    found = read_number(text)
    assert found == value
    assert math.copysign(1, found) > 0 or value < 0, "never -0.0"


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_refused_and_named(text: str) -> None:
    found = read_number(text)
    assert isinstance(found, Unreadable)
    assert found.code == "not_a_number"
    assert text[:20] in found.detail or repr(text)[1:10] in found.detail


def test_a_number_beyond_all_numbers_is_out_of_range() -> None:
    found = read_number("1e999")
    assert isinstance(found, Unreadable) and found.code == "out_of_range"


@pytest.mark.parametrize(
    ("text", "reason"), [("SUPP", "suppressed"), ("z", "not_applicable"), ("", "not_available"), (" NE ", "no_entries")]
)
def test_a_symbol_in_place_of_a_number_is_its_reason(text: str, reason: str) -> None:
    assert read_number(text) == reason


@pytest.mark.parametrize(("text", "value"), [("100000", 100000), ("100000.0", 100000), ("1,234", 1234), ("-3", -3)])
def test_whole_numbers_may_look_like_decimals(text: str, value: int) -> None:
    assert read_whole_number(text) == value


@pytest.mark.parametrize("text", ["1.5", "99999999999", "9" * 5000, "63%"])
def test_fractions_percentages_and_huge_numbers_are_no_whole_numbers(text: str) -> None:
    found = read_whole_number(text)
    assert isinstance(found, Unreadable) and found.code == "not_a_whole_number"


@pytest.mark.parametrize("text", ["1.4E+05", "1e5", "1E5", " 1.36105e+05 ", "1,4E+05", "1e300", "1.E+05"])
@pytest.mark.parametrize("read", [read_whole_number, read_identifier])
def test_whole_numbers_that_a_spreadsheet_mangled_are_refused(
    read: Callable[[str], int | str | Unreadable], text: str
) -> None:
    found = read(text)
    assert isinstance(found, Unreadable) and found.code == "scientific_notation"


@pytest.mark.parametrize(("text", "value"), [("136105", 136105), ("16846.0", 16846), (" 136105.00 ", 136105)])
def test_identifiers_are_digits_that_may_look_like_a_decimal(text: str, value: int) -> None:
    assert read_identifier(text) == value


@pytest.mark.parametrize("text", ["136,105", "136105%", "+136105", "136105.", "136105.5", "1" * 5000])
def test_what_names_nothing_is_no_identifier(text: str) -> None:
    found = read_identifier(text)
    assert isinstance(found, Unreadable) and found.code == "not_a_whole_number"


def test_a_column_of_codes_refuses_what_a_spreadsheet_mangled() -> None:
    found = read_codes(pl.Series(["10066112.0", "1.00661E+07", "07525820", "OC304173", None]))
    assert [(place, fault.code) for place, fault in found.faults] == [(1, "scientific_notation")]
    assert found.values.to_list() == ["10066112.0", None, "07525820", "OC304173", None]


@pytest.mark.parametrize(
    "text",
    ["2019-01-23", "23-01-2019", "23/01/2019", "20190123", "23 January 2019", "23 Jan 2019", "2019-01-23 00:00:00",
     "2019-01-23T00:00:00Z", " 2019-01-23 ", "23/01/2019 00:00", "23/1/2019",
     "23-1-2019"],
)  # fmt: skip
def test_dates_are_read_however_they_are_written(text: str) -> None:
    assert read_date(text) == date(2019, 1, 23)


@pytest.mark.parametrize("text", ["1900-01-01", "01-01-1900", "31-12-9999", "", " ", "NULL", "N/A", "z"])
def test_dates_that_say_not_known_are_none(text: str) -> None:
    assert read_date(text) is None


@pytest.mark.parametrize(
    "text", ["31/02/2019", "2019-13-01", "yesterday", "01/02/19", "2019", "0019-01-23", "2019-01-23 10:30"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    found = read_date(text)
    assert isinstance(found, Unreadable) and found.code == "not_a_date"


@pytest.mark.parametrize(
    ("text", "band"),
    [
        ("1", "well_above_average"), ("5", "well_below_average"), ("3.0", "average"),
        ("Well below average", "well_below_average"), ("ABOVE  AVERAGE", "above_average"),
        ("well_above_average", "well_above_average"), ("SUPP", None), ("", None), ("LOWCOV", None),
    ],
)  # fmt: skip
def test_bands_are_read_as_numbers_and_as_words(text: str, band: str | None) -> None:
    assert read_band(text) == band


@pytest.mark.parametrize("text", ["0", "6", "Good", "2.5"])
def test_what_is_no_band_is_refused(text: str) -> None:
    assert isinstance(read_band(text), Unreadable)


@pytest.mark.parametrize("text", ["=1+1", " =cmd|' /C calc'!A0", "@SUM(A1)", '+HYPERLINK("x")', "-cmd|x", "=A1"])
def test_formulas_are_recognised(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize(
    "text", ["St Mary's", "+44 1234 567890", "-", "@Bristol", "A=B", "Ash - Vale (Infant)", "-0.5"]
)
def test_ordinary_text_is_no_formula(text: str) -> None:
    assert not is_formula(text)


def test_a_text_is_shown_short_and_without_control_characters() -> None:
    assert len(shown("x" * 5000)) < 70
    assert "\n" not in shown("a\nb")


def texts(parsed: Parsed) -> list[object]:
    return parsed.values.to_list()


def test_a_column_of_text_is_tidied_and_its_formulas_are_faulty() -> None:
    parsed = read_texts(pl.Series([" The\n School ", None, "", "=1+1", "x" * 400, "plain"]))
    assert texts(parsed) == ["The School", None, None, None, None, "plain"]
    assert [(place, fault.code) for place, fault in parsed.faults] == [(3, "formula"), (4, "cell_too_long")]
    assert parsed.faulty.to_list() == [False, False, False, True, True, False]


def test_a_column_of_nothing_is_not_available() -> None:
    parsed = read_numbers(pl.Series([None, None], dtype=pl.String))
    assert texts(parsed) == [None, None]
    assert parsed.reasons.to_list() == ["not_available"] * 2
    assert not parsed.faulty.any()


def test_faults_of_a_column_are_all_counted_and_the_first_listed() -> None:
    parsed = read_numbers(pl.Series([f"bad {i}" for i in range(MOST_FAULTS + 500)]))
    assert int(parsed.faulty.sum()) == MOST_FAULTS + 500
    assert [place for place, _ in parsed.faults] == list(range(MOST_FAULTS))


CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from([text for text, _ in NUMBERS] + NO_NUMBERS + ["SUPP", "z", "NA", "", "1e999"]),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.integers().map(str),
    st.floats(0, 100).map(lambda value: f"{value:.1f}%"),
)


@given(cells=st.lists(CELLS, max_size=30))
def test_a_column_of_numbers_reads_as_its_cells_do(cells: list[str | None]) -> None:
    parsed = read_numbers(pl.Series(cells, dtype=pl.String))
    faulty = dict(parsed.faults)
    for place, cell in enumerate(cells):
        expected = "not_available" if cell is None else read_number(cell)
        value, reason = parsed.values[place], parsed.reasons[place]
        if isinstance(expected, Unreadable) and expected.is_symbol:
            assert (value, reason) == (None, "unrecognised_symbol")
            assert cell in parsed.unrecognised and not parsed.faulty[place]
        elif isinstance(expected, Unreadable):
            assert (value, reason) == (None, None)
            assert faulty[place] == expected
            assert parsed.faulty[place]
        else:
            assert (value if reason is None else reason) == expected
            assert not parsed.faulty[place]
            assert (value is None) != (reason is None)
            assert value is None or math.isfinite(value)


@pytest.mark.parametrize(
    ("read_all", "read"), [(read_whole_numbers, read_whole_number), (read_identifiers, read_identifier)]
)
@given(cells=st.lists(CELLS, max_size=30))
def test_a_column_of_whole_numbers_reads_as_its_cells_do(
    read_all: Callable[[pl.Series], Parsed],
    read: Callable[[str], int | str | Unreadable],
    cells: list[str | None],
) -> None:
    parsed = read_all(pl.Series(cells, dtype=pl.String))
    for place, cell in enumerate(cells):
        expected = "not_available" if cell is None else read(cell)
        assert parsed.faulty[place] == isinstance(expected, Unreadable)
        if isinstance(expected, int):
            assert parsed.values[place] == expected


@given(value=st.floats(-1e9, 1e9, allow_nan=False))
def test_any_number_comes_back_from_its_own_text(value: float) -> None:
    assert read_number(repr(value)) == value


@given(value=st.integers(0, 10**9))
def test_thousands_separators_change_nothing(value: int) -> None:
    assert read_number(f"{value:,}") == float(value)


@given(day=st.dates(date(1901, 1, 1), date(2098, 1, 1)))
def test_any_day_comes_back_from_every_layout(day: date) -> None:
    for layout in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y%m%d", "%d %B %Y"):
        assert read_date(day.strftime(layout)) == day


@given(text=st.text(max_size=40))
def test_no_text_is_too_strange_to_read(text: str) -> None:
    assert isinstance(read_number(text), float | str | Unreadable)
    assert isinstance(read_date(text), date | Unreadable | None)
    assert isinstance(read_band(text), str | Unreadable | None)
    assert isinstance(is_formula(text), bool)


def test_columns_of_dates_and_bands_read_as_their_cells() -> None:
    start = date(2020, 1, 1)
    days = [start + timedelta(days=i) for i in range(5)]
    assert texts(read_dates(pl.Series([str(day) for day in days]))) == days
    assert texts(read_bands(pl.Series(["1", "SUPP", None, "Average"]))) == ["well_above_average", None, None, "average"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("92,4", "(92.4)"), ("-0,15 %", "(-0.15 %)"), ("<5", "SUPP"), ("\u2264 10", "SUPP"), ("fewer than 5", "SUPP")],
)
def test_a_number_that_is_written_otherwise_is_refused_with_what_to_write(text: str, said: str) -> None:
    found = read_number(text)
    assert isinstance(found, Unreadable)
    assert found.code == "not_a_number"
    assert said in found.detail
