"""Types of request parameters and fields that hold the sector's values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from sector.years import LAYOUT, parse_academic_year


def _only_digits(value: Any) -> Any:
    """Of `139148.0` there would be a second address."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("write a URN in digits")
    return value


Urn = Annotated[int, Field(ge=1, le=9_999_999, examples=[139148]), BeforeValidator(_only_digits)]
"""The number of a school in the register. Wider than the six digits of `sector.urns`, as released: no school has such
a number, so that it is not found."""

AcademicYear = Annotated[
    str,
    Field(
        max_length=9,
        description="As 2018/19, 2018-19 or 201819.",
        examples=["2018/19"],
        # For those who read the contract; what is refused is refused by the parser, with its own sentence.
        json_schema_extra={"pattern": LAYOUT},
    ),
    AfterValidator(parse_academic_year),
]
"""An academic year in any spelling that the sector uses; `2018/19` once it is read."""

TrustName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[A-Za-z0-9\-]+$",
        description="A trust by its id (UUID), Group UID (`16846`) or TR reference (`TR03794`).",
        examples=["16846"],
    ),
]
"""One of the names of a trust."""
