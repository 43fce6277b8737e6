"""UKPRNs: the eight digits by which a school or a trust is registered as a provider of learning. The first is 1."""

import re
from typing import Final

_UKPRN: Final = re.compile(r"1[0-9]{7}")


def parse_ukprn(text: str) -> str:
    """A UKPRN, as text. Raises ValueError for anything else."""
    plain = text.strip()
    if _UKPRN.fullmatch(plain) is None:
        raise ValueError(f"{text!r} is not a UKPRN: eight digits that begin with 1")
    return plain
