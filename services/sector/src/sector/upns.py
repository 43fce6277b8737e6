"""UPNs: unique pupil numbers of thirteen characters, of which the first checks the others.

After the check letter come the local authority (three digits), the school that gave the number (four), the year (two)
and a serial number (three digits; two and a letter in a temporary UPN).

Source: DfE, Unique pupil numbers (UPNs): a guide for schools and local authorities, 2019, annex A.
"""

import re
from dataclasses import dataclass
from typing import Final

LETTERS: Final = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""Twenty-three letters by their value, from 0: without I, O and S, which look like digits."""

_LAYOUT: Final = re.compile(rf"([{LETTERS}])([0-9]{{3}})([0-9]{{4}})([0-9]{{2}})([0-9]{{2}}[0-9{LETTERS}])")


@dataclass(frozen=True, slots=True)
class Upn:
    """A UPN whose check letter is right."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def is_temporary(self) -> bool:
        """Temporary UPNs end in a letter: given until the pupil's own is known."""
        return self.text[-1] in LETTERS

    @property
    def laestab(self) -> str:
        """The school that gave it, which needn't be the pupil's school today."""
        return self.text[1:8]


def check_letter(rest: str) -> str:
    """The letter before these twelve characters: their values, each times its place (2 to 13), summed modulo 23."""
    total = sum(place * _value(character) for place, character in enumerate(rest, 2))
    return LETTERS[total % len(LETTERS)]


def parse_upn(text: str) -> Upn:
    """A UPN, in capitals without spaces around. Raises ValueError when its form or its check letter is wrong.

    The error doesn't repeat the number: a UPN is about a child.
    """
    plain = text.strip().upper()
    if not plain.isascii() or _LAYOUT.fullmatch(plain) is None:
        raise ValueError("not a UPN: a letter and twelve digits, or eleven digits and a letter when it is temporary")
    if check_letter(plain[1:]) != plain[0]:
        raise ValueError("not a UPN: its check letter doesn't fit the rest")
    return Upn(plain)


def _value(character: str) -> int:
    return int(character) if character.isdigit() else LETTERS.index(character)
