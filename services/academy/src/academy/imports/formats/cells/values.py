"""Reading one cell: a number, whole number, date or band out of the text that a table holds."""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from academy.imports.codes import RowCode
from academy.imports.formats.cells.symbols import reason_of
from sector.years import parse_academic_year

MOST_SHOWN: Final = 60
LONGEST_SYMBOL: Final = 30
"""No official symbol or word in its place is longer."""

_NUMBER: Final = re.compile(
    r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?"
    r"|[+-]?\.[0-9]+(?:[eE][+-]?[0-9]{1,4})?)\s*(%?)"
)
_WHOLE: Final = re.compile(r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+))(?:\.0*)?")
_IDENTIFIER: Final = re.compile(r"(-?[0-9]+)(?:\.0+)?")
SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+")
SPACES: Final = " \t\r\n\u00a0\u202f"

_DATE_LAYOUTS: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "%d/%m/%Y"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "%d-%m-%Y"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}"), "%d %b %Y"),
    (re.compile(r"\d{1,2} [A-Za-z]{4,9} \d{4}"), "%d %B %Y"),
)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})\s*%?")
_BOUND: Final = re.compile(r"[<>\u2264\u2265]=?\s*\d|(fewer|less|more|under|over) (than )?\d", re.IGNORECASE)
_SHEET_ERRORS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
_MIDNIGHT: Final = re.compile(r"[ T]00:00(:00(\.0+)?)?Z?$")
_UNKNOWN_DATES: Final = frozenset({date(1900, 1, 1), date(1899, 12, 30), date(9999, 12, 31), date(2099, 12, 31)})

BANDS: Final = {
    "1": "well_above_average",
    "2": "above_average",
    "3": "average",
    "4": "below_average",
    "5": "well_below_average",
}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A text that is neither a value nor a known symbol; `code` and `detail` say what is wrong with it.

    `is_symbol` marks a word or sign that stands where a value would, such as `DNS`: where figures are read it costs its
    cell, not the file.
    """

    code: RowCode
    detail: str
    is_symbol: bool = False


def shown(text: str) -> str:
    """The text as an error message may show it: quoted, without control characters, cut short."""
    cut = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    return repr(cut)


def read_number(text: str) -> float | str | Unreadable:
    """A number, or the reason that stands in its place: `1,234`, `63%`, `32.00 %`, `-0.5`, `SUPP`, `z`.

    A percent sign changes nothing: 63% is 63. The comma separates thousands only, so that `1,5` is refused
    rather than read as 15. Never gives NaN or infinity.
    """
    plain = text.strip(SPACES).replace("\u2212", "-")
    found = _NUMBER.fullmatch(plain)
    if found is None:
        reason = reason_of(plain)
        if reason is not None:
            return reason
        detail = f"{shown(text)} is neither a number nor a known symbol.{_what_to_write(plain)}"
        return Unreadable(RowCode.NOT_A_NUMBER, detail, is_symbol(plain))
    value = float(found[1].replace(",", ""))
    if not math.isfinite(value):
        return Unreadable(RowCode.OUT_OF_RANGE, f"{shown(text)} is too large for a number.")
    return value + 0.0  # never -0.0


def _what_to_write(plain: str) -> str:
    """What should stand in place of a text that people often write for a number."""
    if _DECIMAL_COMMA.fullmatch(plain):
        return f" Write a point before the decimals ({plain.replace(',', '.')}); a comma parts thousands."
    if _BOUND.match(plain):
        return " A figure that isn't shown because it rests on few pupils is written SUPP; a bound can't be kept."
    return ""


def is_symbol(plain: str) -> bool:
    """True for a word or sign such as `DNS` or `*`: short, without a digit, so that it can't be a number that was
    mistyped, and no formula. An error of a spreadsheet (`#DIV/0!`) is one too."""
    return plain in _SHEET_ERRORS or (
        len(plain) <= LONGEST_SYMBOL and not any(map(str.isdigit, plain)) and not plain.startswith(("=", "@", "%"))
    )


def scientific(text: str) -> Unreadable | None:
    """The fault of a whole number in scientific notation; None for anything else.

    Spreadsheets write long numbers so, and digits are lost: 136105 may have become `1.4E+05`, another
    school's URN.
    """
    if SCIENTIFIC.fullmatch(text.strip(SPACES)) is None:
        return None
    detail = f"{shown(text)} is in scientific notation, which loses digits. Write the number in full."
    return Unreadable(RowCode.SCIENTIFIC_NOTATION, detail)


def read_whole_number(text: str) -> int | str | Unreadable:
    """A whole number, or the reason in its place. `180.0` counts as whole: spreadsheets write counts so. Percent
    signs and scientific notation are refused."""
    return _whole(text, _WHOLE)


def read_identifier(text: str) -> int | str | Unreadable:
    """A number that names something, such as a URN: digits, which spreadsheets may have made a decimal
    (`100000.0`); or the reason in its place."""
    return _whole(text, _IDENTIFIER)


def _whole(text: str, layout: re.Pattern[str]) -> int | str | Unreadable:
    plain = text.strip(SPACES)
    found = layout.fullmatch(plain)
    if found is not None:
        digits = found[1].replace(",", "")
        if len(digits) < MOST_SHOWN and abs(value := int(digits)) < 2**31:
            return value
    elif (mangled := scientific(text)) is not None:
        return mangled
    else:
        read = read_number(text)
        if not isinstance(read, float):
            return read
    return Unreadable(RowCode.NOT_A_WHOLE_NUMBER, f"{shown(text)} is not a whole number.")


def read_date(text: str) -> date | Unreadable | None:
    """A date from `2019-01-23`, `23-01-2019`, `23/01/2019`, `20190123` or `23 January 2019`, with or without
    midnight.

    None for an empty cell and for the dates that registers write for "not known" (1 January 1900, 31
    December 9999).
    """
    plain = _MIDNIGHT.sub("", text.strip(SPACES))
    if not plain or reason_of(plain) is not None:
        return None
    for layout, form in _DATE_LAYOUTS:
        if layout.fullmatch(plain):
            try:
                found = datetime.strptime(plain, form).date()  # noqa: DTZ007 (a date has no zone)
            except ValueError:
                break
            if found in _UNKNOWN_DATES:
                return None
            if not 1000 < found.year < 2200:
                break
            return found
    return Unreadable(RowCode.NOT_A_DATE, f"{shown(text)} is not a date such as 2019-01-23 or 23/01/2019.")


def read_band(text: str) -> str | Unreadable | None:
    """A published band: 1 to 5 (1 is well above average) or its words; None where a symbol or nothing
    stands."""
    plain = text.strip(SPACES).removesuffix(".0")
    if plain in BANDS:
        return BANDS[plain]
    words = "_".join(plain.casefold().split())
    if words in BANDS.values():
        return words
    if reason_of(plain) is not None:
        return None
    detail = f"{shown(text)} is not a band: 1 to 5, or such as 'Below average'."
    return Unreadable(RowCode.NOT_A_BAND, detail, is_symbol(plain))


_FORMULA: Final = re.compile(r"\s*(=|[@+-]\s*[A-Za-z_\\][\w.\\ ]*[(|!])")


def is_formula(text: str) -> bool:
    """True when a spreadsheet would run this text: `=cmd|...`, `@SUM(`, `+HYPERLINK(`."""
    return _FORMULA.match(text) is not None


def read_year(text: str) -> str | Unreadable:
    """An academic year as `2018/19`, from any of its spellings."""
    try:
        return parse_academic_year(text)
    except ValueError:
        return Unreadable(RowCode.NOT_AN_ACADEMIC_YEAR, f"{shown(text)} is not an academic year such as 2018/19.")
