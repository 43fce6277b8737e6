"""LAESTABs: three digits of the local authority and four of the school within it.

A successor often inherits it, so that one LAESTAB may lead to two URNs.
"""

from __future__ import annotations

import re
from typing import Final

_LAESTAB: Final = re.compile(r"([0-9]{3})[/\- ]?([0-9]{4})")


def plain_laestab(text: str) -> str | None:
    """`850/4000`, `850-4000` or `8504000` as seven digits; None when it is none of these."""
    match = _LAESTAB.fullmatch(text.strip())
    return None if match is None else match[1] + match[2]


def local_authority_of(laestab: str) -> str:
    """The number of the local authority: `850` of `8504000`. Raises ValueError for what is no LAESTAB."""
    plain = plain_laestab(laestab)
    if plain is None:
        raise ValueError(f"{laestab!r} is not a LAESTAB: seven digits, such as 850/4000")
    return plain[:3]
