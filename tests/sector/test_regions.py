"""Regions by name and code."""

import pytest

from sector.regions import REGIONS, region_code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("North West", "E12000002"),
        ("Yorkshire and the Humber", "E12000003"),
        ("Yorkshire and The Humber", "E12000003"),
        (" london ", "E12000007"),
        ("Wales (pseudo)", None),
        ("Not Applicable", None),
        ("", None),
        (None, None),
    ],
)
def test_a_region_is_known_by_its_name(name: str | None, code: str | None) -> None:
    assert region_code(name) == code


def test_there_are_nine() -> None:
    assert len(REGIONS) == 9 and all(region_code(name) == code for code, name in REGIONS.items())
