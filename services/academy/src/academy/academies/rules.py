"""Pure decisions about academies: whose judgement an inspection was, and what a written LAESTAB means."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

_LAESTAB = re.compile(r"^(\d{3})[/\- ]?(\d{4})$")


class Joining(StrEnum):
    """Was the academy inspected before or after it joined the trust that it belongs to now?"""

    BEFORE = "before"
    AFTER = "after"


def joining(inspected_on: date, joined_on: date | None) -> Joining | None:
    """None when the academy belongs to no trust. On the day of joining counts as after."""
    if joined_on is None:
        return None
    return Joining.BEFORE if inspected_on < joined_on else Joining.AFTER


def plain_laestab(text: str) -> str | None:
    """`850/4000`, `850-4000` or `8504000` as seven digits; None when it is none of these."""
    match = _LAESTAB.match(text.strip())
    return None if match is None else match[1] + match[2]
