"""Reading one cell: numbers, whole numbers, dates and bands out of the text that tables hold.

The functions on one text define what is read; those on a column apply them to each different text once, and
take a short cut where most cells are plain numbers.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import polars as pl

from academy.imports.formats.cells.symbols import reason_of

MOST_SHOWN: Final = 60

_NUMBER: Final = re.compile(
    r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,4})?"
    r"|[+-]?\.[0-9]+(?:[eE][+-]?[0-9]{1,4})?)\s*(%?)"
)
_WHOLE: Final = re.compile(r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+))(?:\.0*)?")
_IDENTIFIER: Final = re.compile(r"(-?[0-9]+)(?:\.0+)?")
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+")
_SPACES: Final = " \t\r\n\u00a0\u202f"

_DATE_LAYOUTS: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "%Y-%m-%d"),
    (re.compile(r"\d{2}/\d{2}/\d{4}"), "%d/%m/%Y"),
    (re.compile(r"\d{2}-\d{2}-\d{4}"), "%d-%m-%Y"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{1,2} [A-Za-z]{3} \d{4}"), "%d %b %Y"),
    (re.compile(r"\d{1,2} [A-Za-z]{4,9} \d{4}"), "%d %B %Y"),
)
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
    """A text that is neither a value nor a known symbol; `code` and `detail` say what is wrong with it."""

    code: str
    detail: str


def shown(text: str) -> str:
    """The text as an error message may show it: quoted, without control characters, cut short."""
    cut = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    return repr(cut)


def read_number(text: str) -> float | str | Unreadable:
    """A number, or the reason that stands in its place: `1,234`, `63%`, `32.00 %`, `-0.5`, `SUPP`, `z`.

    A percent sign changes nothing: 63% is 63. The comma separates thousands only, so that `1,5` is refused
    rather than read as 15. Never gives NaN or infinity.
    """
    plain = text.strip(_SPACES).replace("\u2212", "-")
    found = _NUMBER.fullmatch(plain)
    if found is None:
        reason = reason_of(plain)
        if reason is not None:
            return reason
        return Unreadable("not-a-number", f"{shown(text)} is neither a number nor a known symbol.")
    value = float(found[1].replace(",", ""))
    if not math.isfinite(value):
        return Unreadable("out-of-range", f"{shown(text)} is too large for a number.")
    return value + 0.0  # never -0.0


def scientific(text: str) -> Unreadable | None:
    """The fault of a whole number in scientific notation; None for anything else.

    Spreadsheets write long numbers so, and digits are lost: 136105 may have become `1.4E+05`, another
    school's URN.
    """
    if _SCIENTIFIC.fullmatch(text.strip(_SPACES)) is None:
        return None
    detail = f"{shown(text)} is in scientific notation, which loses digits. Write the number in full."
    return Unreadable("scientific-notation", detail)


def read_whole_number(text: str) -> int | str | Unreadable:
    """A whole number, or the reason in its place. `180.0` counts as whole: spreadsheets write counts so. Percent
    signs and scientific notation are refused."""
    return _whole(text, _WHOLE)


def read_identifier(text: str) -> int | str | Unreadable:
    """A number that names something, such as a URN: digits, which spreadsheets may have made a decimal
    (`100000.0`); or the reason in its place."""
    return _whole(text, _IDENTIFIER)


def _whole(text: str, layout: re.Pattern[str]) -> int | str | Unreadable:
    plain = text.strip(_SPACES)
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
    return Unreadable("not-a-whole-number", f"{shown(text)} is not a whole number.")


def read_date(text: str) -> date | Unreadable | None:
    """A date from `2019-01-23`, `23-01-2019`, `23/01/2019`, `20190123` or `23 January 2019`, with or without
    midnight.

    None for an empty cell and for the dates that registers write for "not known" (1 January 1900, 31
    December 9999).
    """
    plain = _MIDNIGHT.sub("", text.strip(_SPACES))
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
    return Unreadable("not-a-date", f"{shown(text)} is not a date such as 2019-01-23 or 23/01/2019.")


def read_band(text: str) -> str | Unreadable | None:
    """A published band: 1 to 5 (1 is well above average) or its words; None where a symbol or nothing
    stands."""
    plain = text.strip(_SPACES).removesuffix(".0")
    if plain in BANDS:
        return BANDS[plain]
    words = "_".join(plain.casefold().split())
    if words in BANDS.values():
        return words
    if reason_of(plain) is not None:
        return None
    return Unreadable("not-a-band", f"{shown(text)} is not a band: 1 to 5, or such as 'Below average'.")


_FORMULA: Final = re.compile(r"\s*(=|[@+-]\s*[A-Za-z_\\][\w.\\ ]*[(|!])")


def is_formula(text: str) -> bool:
    """True when a spreadsheet would run this text: `=cmd|...`, `@SUM(`, `+HYPERLINK(`."""
    return _FORMULA.match(text) is not None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A column that has been read: for each cell a value, or null with the reason (numbers only).

    `faults` holds the faulty cells: their places in the column and what is wrong with each. The first
    `MOST_FAULTS` are listed; `faulty` marks them all.
    """

    values: pl.Series
    reasons: pl.Series
    faulty: pl.Series
    faults: list[tuple[int, Unreadable]]


MOST_FAULTS: Final = 1000

Scalar = float | int | date | str | None


def read_column(
    cells: pl.Series,
    read: Callable[[str], Scalar | Unreadable],
    dtype: pl.DataType,
    *,
    plain: pl.Series | None = None,
    gives_reasons: bool = False,
) -> Parsed:
    """Read each different text of a column once. `plain` are values that a short cut has read already, where
    it could. With `gives_reasons` a text that `read` returns is a reason, and an empty cell has one too."""
    values = pl.Series(values=[None], dtype=dtype).new_from_index(0, len(cells)) if plain is None else plain
    odd = cells.is_not_null() & values.is_null()
    reasons = pl.Series(values=[None], dtype=pl.String).new_from_index(0, len(cells))
    faulty = pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, len(cells))
    faults: list[tuple[int, Unreadable]] = []
    if odd.any():
        texts = cells.filter(odd)
        different = texts.unique()
        read_texts = [read(text) for text in different]
        table = pl.DataFrame(
            {
                "text": different,
                "value": pl.Series([None if _is_other(r, gives_reasons) else r for r in read_texts], dtype=dtype),
                "reason": pl.Series(
                    [r if gives_reasons and isinstance(r, str) else None for r in read_texts], dtype=pl.String
                ),
                "number": pl.Series(
                    [i if isinstance(r, Unreadable) else None for i, r in enumerate(read_texts)],
                    dtype=pl.UInt32,
                ),
            }
        )
        places = odd.arg_true()
        found = texts.to_frame("text").join(table, on="text", how="left", maintain_order="left")
        values = values.scatter(places, found["value"])
        reasons = reasons.scatter(places, found["reason"])
        bad = found["number"].is_not_null()
        if bad.any():
            faulty = faulty.scatter(places.filter(bad), True)
            rows = zip(places.filter(bad).head(MOST_FAULTS), found["number"].filter(bad), strict=False)
            faults = [(place, fault) for place, i in rows if isinstance(fault := read_texts[i], Unreadable)]
    if gives_reasons:
        empty = values.is_null() & reasons.is_null() & ~faulty
        if empty.any():
            reasons = reasons.scatter(empty.arg_true(), "not_available")
    return Parsed(values, reasons, faulty, faults)


def _is_other(read_text: Scalar | Unreadable, gives_reasons: bool) -> bool:
    return isinstance(read_text, Unreadable) or (gives_reasons and isinstance(read_text, str))


def read_numbers(cells: pl.Series) -> Parsed:
    """Read a column of numbers as `read_number` does; most cells take the short cut."""
    plain = cells.cast(pl.Float64, strict=False)
    finite = plain.is_finite()
    if not finite.all():
        plain = plain.set(~finite.fill_null(value=False), None)
    plain = plain.set((plain == 0).fill_null(value=False), 0.0)  # never -0.0
    return read_column(cells, read_number, pl.Float64(), plain=plain, gives_reasons=True)


def read_whole_numbers(cells: pl.Series) -> Parsed:
    """Read a column of whole numbers as `read_whole_number` does."""
    plain = cells.cast(pl.Int32, strict=False)
    return read_column(cells, read_whole_number, pl.Int32(), plain=plain, gives_reasons=True)


def read_identifiers(cells: pl.Series) -> Parsed:
    """Read a column of identifiers as `read_identifier` does."""
    plain = cells.cast(pl.Int32, strict=False)
    signed = cells.str.starts_with("+").fill_null(value=False)
    if signed.any():
        plain = plain.set(signed, None)
    return read_column(cells, read_identifier, pl.Int32(), plain=plain, gives_reasons=True)


def read_dates(cells: pl.Series) -> Parsed:
    """Read a column of dates as `read_date` does."""
    return read_column(cells, read_date, pl.Date())


def read_bands(cells: pl.Series) -> Parsed:
    """Read a column of published bands as `read_band` does."""
    return read_column(cells, read_band, pl.String())


def read_texts(cells: pl.Series, *, longest: int = 300) -> Parsed:
    """Read a column of text: white space made single spaces, empty made null, formulas and overlong texts
    faulty."""
    tidy = _tidied(cells)
    suspect = tidy.str.contains(r"^[=@+\-]") | (tidy.str.len_chars() > longest)
    if not suspect.any():
        return Parsed(tidy, *_nothing(len(cells)), [])

    def read(text: str) -> str | Unreadable:
        if is_formula(text):
            detail = f"{shown(text)} is a formula, which a spreadsheet would run; write plain text."
            return Unreadable("formula", detail)
        if len(text) > longest:
            return Unreadable("too-long", f"{shown(text)} is longer than {longest} characters.")
        return text

    return read_column(tidy, read, pl.String(), plain=tidy.set(suspect.fill_null(value=False), None))


def _tidied(cells: pl.Series) -> pl.Series:
    tidy = cells.str.replace_all(r"[\s\x00-\x1f\x7f]+", " ").str.strip_chars(_SPACES)
    return tidy.set(tidy.str.len_bytes() == 0, None)


def read_codes(cells: pl.Series) -> Parsed:
    """Read a column of identifiers that stay text (a UKPRN, the number of a company): as `read_texts` does, but
    scientific notation is faulty."""
    texts = read_texts(cells)
    mangled = texts.values.str.contains(f"^{_SCIENTIFIC.pattern}$").fill_null(value=False)
    if not mangled.any():
        return texts

    def read(text: str) -> str | Unreadable:
        return scientific(text) or text

    codes = read_column(texts.values, read, pl.String(), plain=texts.values.set(mangled, None))
    return Parsed(codes.values, codes.reasons, texts.faulty | codes.faulty, [*texts.faults, *codes.faults])


def _nothing(length: int) -> tuple[pl.Series, pl.Series]:
    return (
        pl.Series(values=[None], dtype=pl.String).new_from_index(0, length),
        pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, length),
    )
