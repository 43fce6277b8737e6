"""Types of the parameters that several slices take: instants, searches, URNs, academic years."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from academy.years import parse_academic_year
from kit import clock

LONDON = ZoneInfo("Europe/London")

_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
# Nothing was told before, and times near the ends of the calendar can't be turned into another zone.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST = datetime(9990, 1, 1, tzinfo=UTC)


def _only_rfc3339(value: Any) -> Any:
    if isinstance(value, str) and not _RFC3339.match(value):
        raise ValueError("write an instant as 2026-01-31T12:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    if value.year < _EARLIEST.year:
        return _EARLIEST
    if value.year > _LATEST.year:
        return _LATEST
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(_only_rfc3339), AfterValidator(_in_utc)]
"""An instant as RFC 3339 has it, with its zone."""

SearchText = Annotated[str, Field(min_length=1, max_length=100)]
"""Words that somebody looks for."""


def _only_digits(value: Any) -> Any:
    """Of `139148.0` there would be a second address."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("write a URN in digits")
    return value


Urn = Annotated[int, Field(ge=1, le=9_999_999, examples=[136105]), BeforeValidator(_only_digits)]
"""The number of a school in the register."""

AcademicYear = Annotated[
    str,
    Field(max_length=9, description="As 2018/19, 2018-19 or 201819.", examples=["2018/19"]),
    AfterValidator(parse_academic_year),
]
"""An academic year in any spelling that the sector uses; `2018/19` once it is read."""

Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9_.\-]+$")]
"""A code of a catalogue, such as a measure or a pupil group."""

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
"""One of the names by which a trust is asked for."""


def today() -> date:
    """The day that it is in England."""
    return clock.now().astimezone(LONDON).date()


def escaped(words: str) -> str:
    """Words as a part of a LIKE pattern that stands for nothing but themselves."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
