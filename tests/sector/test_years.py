"""Academic years: every way of writing them, and what is no academic year."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sector.years import (
    FIRST_YEAR,
    LAST_YEAR,
    academic_year_on,
    format_academic_year,
    parse_academic_year,
    shift_year,
    year_distance,
)
from sector.years import year_start as start_of

STARTS = st.integers(FIRST_YEAR, LAST_YEAR)


@pytest.mark.parametrize(
    "text",
    ["2018/19", "2018-19", "201819", "2018-2019", "2018/2019", "20182019", " 2018/19 ", "2018_19", "2018\u201319"],
)
def test_every_way_of_writing_a_year_is_read(text: str) -> None:
    assert parse_academic_year(text) == "2018/19"


@pytest.mark.parametrize(
    "text",
    ["", "2018", "2018/20", "2018/18", "2018/2020", "18/19", "2018/9", "2018/019", "2018//19", "1899/00", "2100/01",
     "2018/19x", "autumn 2018", "٢٠١٨/١٩"],
)  # fmt: skip
def test_what_is_no_academic_year_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="academic year"):
        parse_academic_year(text)


def test_the_turn_of_the_century_is_one_year_like_others() -> None:
    assert parse_academic_year("1999/00") == "1999/00"
    assert parse_academic_year("1999/2000") == "1999/00"
    assert shift_year("1999/00", 1) == "2000/01"


@given(start=STARTS, separator=st.sampled_from(["/", "-", "", "_"]))
def test_any_year_comes_back_from_its_spelling(start: int, separator: str) -> None:
    year = format_academic_year(start)
    assert parse_academic_year(f"{start}{separator}{start + 1}") == year
    assert parse_academic_year(f"{start}{separator}{(start + 1) % 100:02d}") == year
    assert start_of(year) == start


@given(a=STARTS, b=STARTS)
def test_distance_counts_the_years_between(a: int, b: int) -> None:
    assert year_distance(format_academic_year(a), format_academic_year(b)) == b - a


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2025, 8, 31), "2024/25"), (date(2025, 9, 1), "2025/26"), (date(2026, 1, 1), "2025/26")],
)
def test_years_begin_in_september(day: date, year: str) -> None:
    assert academic_year_on(day) == year
