"""How a trust is named: by its id, its Group UID or its TR reference in GIAS; and the number of its company."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from uuid import UUID

_GROUP_UID: Final = re.compile(r"[0-9]{1,10}")
_GROUP_ID: Final = re.compile(r"TR[0-9]{5,6}", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_COMPANY_DIGITS: Final = re.compile(r"[0-9]{1,8}")
_COMPANY_LETTERS: Final = re.compile(r"[A-Z]{2}[0-9]{6}")
# With what an apostrophe adds: `PAUL'S` is one run of letters.
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_SMALL: Final = frozenset({"and", "at", "for", "in", "of", "on", "the", "with"})
_ABBREVIATIONS: Final = frozenset({"CE", "CIC", "II", "III", "LLP", "MAT", "RC", "UK", "UTC"})
_DECIMAL: Final = re.compile(r"\.0+$")


def trust_reference(text: str) -> tuple[str, str] | UUID | None:
    """Which trust is meant: its id, or the column and the value that name it; None when it is no reference."""
    if _GROUP_UID.fullmatch(text):
        return ("group_uid", text)
    if _GROUP_ID.fullmatch(text):
        return ("group_id", text.upper())
    return UUID(text) if _UUID.fullmatch(text) else None


@lru_cache(maxsize=4096)
def trust_name(registered: str) -> str:
    """The name of a trust as it is written: GIAS has nearly all of them in capitals."""
    if not registered.isupper():
        return registered
    words = [_written(word) for word in registered.split()]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _written(word: str) -> str:
    if word.lower() in _SMALL:
        return word.lower()
    return word if word in _ABBREVIATIONS else _LETTERS.sub(lambda letters: letters[0].capitalize(), word)


def company_number(text: str) -> str | None:
    """A Companies House number with its eight characters: `7525820.0` (a spreadsheet's) is `07525820`, `OC304173`
    stays. None for anything else."""
    plain = _DECIMAL.sub("", text.strip().upper())
    if _COMPANY_DIGITS.fullmatch(plain):
        return plain.zfill(8)
    return plain if _COMPANY_LETTERS.fullmatch(plain) else None
