"""Types of the parameters that several slices take: instants, searches, codes."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from kit import clock
from sector.days import day_in_london

_RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
# Nothing was recorded before, and times near the ends of the calendar can't be turned into another zone.
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


Code = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[a-z0-9_.\-]+$")]
"""A code of a catalogue, such as a measure or a pupil group."""

LaCodes = Annotated[
    tuple[Annotated[str, Field(pattern=r"^\d{3}$", examples=["352"])], ...],
    Field(max_length=200, description="In these local authorities (three digits)."),
]
"""Codes of local authorities to filter by."""


def today() -> date:
    """The day that it is in England."""
    return day_in_london(clock.now())
