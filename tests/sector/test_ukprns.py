"""UKPRNs."""

import pytest

from sector.ukprns import parse_ukprn


@pytest.mark.parametrize("text", ["10066112", " 10027548 "])
def test_eight_digits_that_begin_with_one(text: str) -> None:
    assert parse_ukprn(text) == text.strip()


@pytest.mark.parametrize("text", ["", "1006611", "100661122", "20066112", "10066112.0", "١٠٠٦٦١١٢"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a UKPRN"):
        parse_ukprn(text)
