"""Which dates make a term, and which terms fit together."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from academy.terms.rules import Dates, clash, flaw_of
from tests.academy.terms.making import HAMPSHIRE


def dates(year: str, term: str, **values: Any) -> Dates:
    return replace(Dates(year, term, *(date.fromisoformat(day) for day in HAMPSHIRE[year, term])), **values)


AUTUMN, SPRING, SUMMER = (dates("2025/26", term) for term in ("autumn", "spring", "summer"))


@pytest.mark.parametrize("key", HAMPSHIRE)
def test_published_dates_are_sound_and_fit_together(key: tuple[str, str]) -> None:
    assert flaw_of(dates(*key)) is None
    others = [dates(*other) for other in HAMPSHIRE if other[0] == key[0] and other != key]
    assert clash(dates(*key), others) is None


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"starts_on": date(2025, 8, 31)}, "starts_on", "outside_academic_year"),
        ({"ends_on": date(2026, 9, 1)}, "ends_on", "outside_academic_year"),
        ({"ends_on": date(2025, 9, 3)}, "ends_on", "ends_before_it_starts"),
        ({"half_term_ends_on": None}, "half_term_ends_on", "half_term_incomplete"),
        ({"half_term_starts_on": None}, "half_term_starts_on", "half_term_incomplete"),
        ({"half_term_starts_on": date(2025, 11, 1)}, "half_term_starts_on", "half_term_outside_term"),
        ({"half_term_starts_on": date(2025, 9, 3)}, "half_term_starts_on", "half_term_outside_term"),
        ({"half_term_ends_on": date(2025, 12, 19)}, "half_term_starts_on", "half_term_outside_term"),
    ],
)
def test_dates_that_make_no_term(values: dict[str, Any], field: str, code: str) -> None:
    flaw = flaw_of(replace(AUTUMN, **values))
    assert flaw is not None
    assert (flaw.field, flaw.code) == (field, code)


def test_a_term_may_be_without_half_term_and_reach_from_the_first_to_the_last_day_of_the_year() -> None:
    whole = replace(AUTUMN, starts_on=date(2025, 9, 1), half_term_starts_on=None, half_term_ends_on=None)
    assert flaw_of(whole) is None
    assert flaw_of(replace(SUMMER, ends_on=date(2026, 8, 31))) is None


@pytest.mark.parametrize(
    ("term", "others", "says"),
    [
        (AUTUMN, [AUTUMN], "2025/26 has its autumn term already."),
        (
            replace(AUTUMN, ends_on=date(2026, 1, 5)),
            [SPRING],
            "The autumn term must end before the spring term begins.",
        ),
        (replace(AUTUMN, ends_on=date(2026, 1, 4)), [SPRING], None),
        (replace(SUMMER, starts_on=date(2026, 3, 27)), [AUTUMN, SPRING], "The spring term must end before the summer"),
        # No overlap, but in the wrong order.
        (replace(AUTUMN, term="summer"), [SPRING], "The spring term must end before the summer term begins."),
    ],
)
def test_terms_of_a_year_follow_one_another(term: Dates, others: list[Dates], says: str | None) -> None:
    found = clash(term, others)
    assert found is says is None or (found is not None and says is not None and found.startswith(says))
