"""URNs: the unique reference numbers of schools in the DfE's register (GIAS). None is ever used again."""

import re
from typing import Final

LOWEST_SCHOOL_URN: Final = 100_000
HIGHEST_SCHOOL_URN: Final = 999_999
"""The bounds of the numbers of schools: six digits. Children's centres have five."""

_DIGITS: Final = re.compile(r"[0-9]{6}")


def is_school_urn(number: int) -> bool:
    """Can a school have this number? GIAS gives schools six digits."""
    return LOWEST_SCHOOL_URN <= number <= HIGHEST_SCHOOL_URN


def parse_urn(text: str) -> int:
    """The URN of a school, from its six digits. Raises ValueError for anything else, such as `139148.0`."""
    plain = text.strip()
    if _DIGITS.fullmatch(plain) is None or not is_school_urn(int(plain)):
        raise ValueError(f"{text!r} is not a URN: six digits, such as 136105")
    return int(plain)
