"""Types of request parameters."""

import pytest
from pydantic import BaseModel, ValidationError

from sector.parameters import AcademicYear, TrustName, Urn


class Wanted(BaseModel):
    """What a request may hold."""

    urn: Urn = 136105
    academic_year: AcademicYear = "2018/19"
    trust: TrustName = "16846"


@pytest.mark.parametrize("year", ["2024/25", "202425", "2024-2025"])
def test_years_are_read_in_any_spelling(year: str) -> None:
    assert Wanted.model_validate({"academic_year": year}).academic_year == "2024/25"


@pytest.mark.parametrize("urn", [1, "136105", 9_999_999])
def test_urns_are_wide_as_released(urn: int | str) -> None:
    assert Wanted.model_validate({"urn": urn}).urn == int(urn)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("urn", 0),
        ("urn", 10_000_000),
        ("urn", "139148.0"),
        ("urn", "+139148"),
        ("urn", "١٣٦١٠٥"),
        ("academic_year", "2018/20"),
        ("academic_year", "2018"),
        ("trust", "a trust"),
        ("trust", ""),
    ],
)
def test_anything_else_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Wanted.model_validate({field: value})
