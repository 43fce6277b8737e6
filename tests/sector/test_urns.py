"""URNs of schools."""

import pytest

from sector.urns import is_school_urn, parse_urn


@pytest.mark.parametrize("text", ["136105", " 136105 ", "100000", "999999"])
def test_six_digits_are_a_urn(text: str) -> None:
    assert parse_urn(text) == int(text)


@pytest.mark.parametrize(
    "text", ["", "99999", "1000000", "036105", "136105.0", "1.4E+05", "+136105", "١٣٦١٠٥", "13 6105"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a URN"):
        parse_urn(text)


@pytest.mark.parametrize(("number", "can_be"), [(99_999, False), (100_000, True), (999_999, True), (1_000_000, False)])
def test_schools_have_six_digits(number: int, can_be: bool) -> None:
    assert is_school_urn(number) is can_be
