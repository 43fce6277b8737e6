"""Fields that many bodies share."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_WORDS = r"^[^\x00]*[^\s\x00][^\x00]*$"
_TITLE = r"^[^\x00-\x1f]*[^\s\x00-\x1f][^\x00-\x1f]*$"
_HTTPS_URL = r"^https://[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?(?::[0-9]{1,5})?(?:[/?#][!-~]*)?$"

PATTERNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        _WORDS: "Write something: this is blank, or has a NUL character in it.",
        _TITLE: "Write something on one line, without control characters.",
        _HTTPS_URL: "Send a whole https:// address in plain ASCII.",
    }
)
"""What errors say in place of a pattern that only programs can read."""

Words = Annotated[str, Field(min_length=1, max_length=10_000, pattern=_WORDS)]
"""Something that a person wrote: not only white space."""

Title = Annotated[str, Field(min_length=1, max_length=120, pattern=_TITLE)]
"""A short title on one line; events may carry it."""

HttpsUrl = Annotated[
    str,
    Field(min_length=10, max_length=2000, pattern=_HTTPS_URL),
]
"""An address in plain ASCII; nothing is fetched from it."""


def _only_iso(value: Any) -> Any:
    """Pydantic would read `0` as a day in 1970."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        raise ValueError("write a day as 2026-01-31")
    return date.fromisoformat(value)


_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Day = Annotated[date, BeforeValidator(_only_iso)]
"""A day as `2026-01-31`."""


class ReasonGiven(BaseModel):
    """The body of a change that may say why."""

    model_config = ConfigDict(extra="forbid")

    reason: Words | None = Field(
        default=None,
        description="Why. Name no pupil and no member of staff.",
        examples=["The results were corrected."],
    )
