"""Ofsted's words: the four grades until 2024, the five of the report cards since November 2025, and their
kin."""

import re
from typing import Final

from academy.imports.codes import RowCode
from academy.imports.formats.cells.symbols import reason_of
from academy.imports.formats.cells.values import Unreadable, shown

GRADES: Final = {
    "1": "outstanding",
    "2": "good",
    "3": "requires_improvement",
    "4": "inadequate",
    **{name.replace("_", " "): name
       for name in ("outstanding", "good", "requires_improvement", "satisfactory", "inadequate",
                    "special_measures", "serious_weaknesses", "not_judged", "insufficient_evidence",
                    "urgent_improvement", "needs_attention", "expected_standard", "strong_standard", "exceptional")},
    "0": "insufficient_evidence",
}  # fmt: skip
"""Grades, old and new, by what stands in files; Satisfactory was given until August 2012."""

NO_GRADE: Final = ("8", "9", "does not apply", "not applicable", "not available", "not inspected", "none", "no")
"""What stands where there is no grade: doesn't apply (8), not available or ungraded (9)."""

CONCERNS: Final = {
    "sm": "special_measures",
    "special measures": "special_measures",
    "rsi": "requires_significant_improvement",
    "requires significant improvement": "requires_significant_improvement",
    "swk": "serious_weaknesses",
    "sw": "serious_weaknesses",
    "serious weaknesses": "serious_weaknesses",
    "nti": "notice_to_improve",
    "notice to improve": "notice_to_improve",
}
SAFEGUARDING: Final = {
    "met": "met",
    "not met": "not_met",
    "yes": "effective",
    "y": "effective",
    "no": "not_effective",
    "n": "not_effective",
}


_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z '()/&,-]{1,59}")


def published_word(text: str) -> str | None:
    """A word that isn't known here, as it is kept: `Causing concern` is `causing_concern`; None for what is no
    word of a report."""
    plain = " ".join(text.replace("\u00a0", " ").split())
    if _WORDS.fullmatch(plain) is None:
        return None
    return re.sub(r"[^a-z]+", "_", plain.casefold()).strip("_")


def _plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split()).casefold().removesuffix(".0")


def read_grade(text: str) -> str | Unreadable | None:
    """A grade, from its number or name; None where there is none."""
    plain = _plain(text)
    if plain in GRADES:
        return GRADES[plain]
    if plain in NO_GRADE or reason_of(plain) is not None:
        return None
    return Unreadable(RowCode.NOT_A_GRADE, f"{shown(text)} is not a grade of Ofsted's.")


def read_concern(text: str) -> str | Unreadable | None:
    """A category of concern; None for none."""
    plain = _plain(text)
    if plain in CONCERNS:
        return CONCERNS[plain]
    if plain in NO_GRADE or reason_of(plain) is not None:
        return None
    return Unreadable(RowCode.NOT_A_CATEGORY, f"{shown(text)} is not a category of concern.")


def read_safeguarding(text: str) -> str | Unreadable | None:
    """Whether safeguarding was found effective, or its standards met."""
    plain = _plain(text)
    if plain in SAFEGUARDING:
        return SAFEGUARDING[plain]
    if plain in NO_GRADE or reason_of(plain) is not None:
        return None
    return Unreadable(RowCode.NOT_A_JUDGEMENT, f"{shown(text)} is neither met nor not met.")
