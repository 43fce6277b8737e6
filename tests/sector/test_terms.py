"""Terms: their order, and the words of published tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sector.terms import TERMS, TIME_IDENTIFIERS, Term, TermOfYear, parse_term_of_year, term_of
from sector.years import FIRST_YEAR, format_academic_year

TERMS_OF_YEARS = st.builds(
    TermOfYear, st.integers(FIRST_YEAR + 20, 2060).map(format_academic_year), st.sampled_from(TERMS)
)


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("Autumn term", Term.AUTUMN),
        ("Spring term", Term.SPRING),
        (" summer  TERM ", Term.SUMMER),
        ("Academic year", None),
        ("Autumn and spring term", None),
    ],
)
def test_time_identifiers_name_a_term_or_more_than_one(words: str, term: Term | None) -> None:
    assert term_of(words) is term


@pytest.mark.parametrize("words", ["", "Autumn", "Week 12", "Financial year"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="time identifier"):
        term_of(words)


def test_every_term_has_its_words() -> None:
    assert {term_of(words) for words in TIME_IDENTIFIERS} == {*Term, None}


def test_a_term_is_read_from_six_digits_and_words() -> None:
    term = parse_term_of_year("202425", "Autumn term")
    assert term == TermOfYear("2024/25", Term.AUTUMN)
    assert str(term) == "2024/25 autumn"


def test_a_whole_year_is_no_term() -> None:
    with pytest.raises(ValueError, match="not one term"):
        parse_term_of_year("202425", "Academic year")
    with pytest.raises(ValueError, match="academic year"):
        parse_term_of_year("202426", "Autumn term")


def test_autumn_comes_first_in_a_year_and_after_the_summer_before() -> None:
    assert TermOfYear("2024/25", Term.SUMMER).shifted(1) == TermOfYear("2025/26", Term.AUTUMN)
    assert TermOfYear("2024/25", Term.AUTUMN).shifted(-1) == TermOfYear("2023/24", Term.SUMMER)
    terms = [TermOfYear("2025/26", Term.AUTUMN), TermOfYear("2024/25", Term.SUMMER), TermOfYear("2024/25", Term.SPRING)]
    assert sorted(terms) == terms[::-1]


@given(term=TERMS_OF_YEARS, by=st.integers(-20, 20))
def test_shifting_keeps_the_order_and_can_be_undone(term: TermOfYear, by: int) -> None:
    later = term.shifted(by)
    assert later.shifted(-by) == term
    assert (later > term) is (by > 0)
    assert (later >= term) is (by >= 0)
