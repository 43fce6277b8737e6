"""Reading a column of text: each different text once, with a short cut where most cells are plain numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.symbols import UNRECOGNISED
from academy.imports.formats.cells.values import (
    SCIENTIFIC,
    SPACES,
    Unreadable,
    is_formula,
    read_band,
    read_date,
    read_identifier,
    read_number,
    read_whole_number,
    scientific,
    shown,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A column that has been read: for each cell a value, or null with the reason (numbers only).

    `faults` holds the faulty cells: their places in the column and what is wrong with each. The first
    `MOST_FAULTS` are listed; `faulty` marks them all. `unrecognised` counts the cells that were lost to each symbol
    that nobody knows, where a column allows such cells.
    """

    values: pl.Series
    reasons: pl.Series
    faulty: pl.Series
    faults: list[tuple[int, Unreadable]]
    unrecognised: Mapping[str, int] = field(default_factory=dict)

    def full(self) -> int:
        """How many cells say something: a value, a symbol or a fault."""
        if not self.values.null_count():
            return len(self.values)
        symbols = (self.reasons != "not_available").fill_null(value=False)
        return int((self.values.is_not_null() | symbols | self.faulty).sum())


MOST_FAULTS: Final = 1000

Scalar = float | int | date | str | None


def read_column(
    cells: pl.Series,
    read: Callable[[str], Scalar | Unreadable],
    dtype: pl.DataType,
    *,
    plain: pl.Series | None = None,
    gives_reasons: bool = False,
    allows_symbols: bool = False,
) -> Parsed:
    """Read each different text of a column once. `plain` are values that a short cut has read already, where
    it could. With `gives_reasons` a text that `read` returns is a reason, and an empty cell has one too. With
    `allows_symbols` a symbol that nobody knows is no fault: its cell is empty, for the reason `unrecognised_symbol`."""
    values = pl.Series(values=[None], dtype=dtype).new_from_index(0, len(cells)) if plain is None else plain
    odd = cells.is_not_null() & values.is_null()
    reasons = pl.Series(values=[None], dtype=pl.String).new_from_index(0, len(cells))
    faulty = pl.Series(values=[False], dtype=pl.Boolean).new_from_index(0, len(cells))
    faults: list[tuple[int, Unreadable]] = []
    unrecognised: dict[str, int] = {}
    if odd.any():
        texts = cells.filter(odd)
        different = texts.unique()
        read_texts = [read(text) for text in different]
        if allows_symbols and (strange := [t for t, r in zip(different, read_texts, strict=True) if _is_symbol(r)]):
            unrecognised = dict(texts.filter(texts.is_in(strange)).value_counts().iter_rows())
        table = pl.DataFrame(
            {
                "text": different,
                "value": pl.Series([None if _is_other(r, gives_reasons) else r for r in read_texts], dtype=dtype),
                "reason": pl.Series([_reason(r, gives_reasons, allows_symbols) for r in read_texts], dtype=pl.String),
                "number": pl.Series(
                    [
                        i if isinstance(r, Unreadable) and not (allows_symbols and r.is_symbol) else None
                        for i, r in enumerate(read_texts)
                    ],
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
    return Parsed(values, reasons, faulty, faults, unrecognised)


def _is_symbol(found: Scalar | Unreadable) -> bool:
    return isinstance(found, Unreadable) and found.is_symbol


def _reason(found: Scalar | Unreadable, gives_reasons: bool, allows_symbols: bool) -> str | None:
    if allows_symbols and _is_symbol(found):
        return UNRECOGNISED
    return found if gives_reasons and isinstance(found, str) else None


def _is_other(read_text: Scalar | Unreadable, gives_reasons: bool) -> bool:
    return isinstance(read_text, Unreadable) or (gives_reasons and isinstance(read_text, str))


def read_numbers(cells: pl.Series) -> Parsed:
    """Read a column of numbers as `read_number` does; most cells take the short cut."""
    plain = cells.cast(pl.Float64, strict=False)
    finite = plain.is_finite()
    if not finite.all():
        plain = plain.set(~finite.fill_null(value=False), None)
    plain = plain.set((plain == 0).fill_null(value=False), 0.0)  # never -0.0
    return read_column(cells, read_number, pl.Float64(), plain=plain, gives_reasons=True, allows_symbols=True)


def read_counts(cells: pl.Series) -> Parsed:
    """Read a column of numbers of pupils as `read_whole_numbers` does, where symbols may stand that nobody knows."""
    return read_whole_numbers(cells, allows_symbols=True)


def read_whole_numbers(cells: pl.Series, *, allows_symbols: bool = False) -> Parsed:
    """Read a column of whole numbers as `read_whole_number` does."""
    plain = cells.cast(pl.Int32, strict=False)
    return read_column(
        cells, read_whole_number, pl.Int32(), plain=plain, gives_reasons=True, allows_symbols=allows_symbols
    )


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
    return read_column(cells, read_band, pl.String(), allows_symbols=True)


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
            return Unreadable(RowCode.FORMULA, detail)
        if len(text) > longest:
            return Unreadable(RowCode.CELL_TOO_LONG, f"{shown(text)} is longer than {longest} characters.")
        return text

    return read_column(tidy, read, pl.String(), plain=tidy.set(suspect.fill_null(value=False), None))


def _tidied(cells: pl.Series) -> pl.Series:
    tidy = cells.str.replace_all(r"[\s\x00-\x1f\x7f]+", " ").str.strip_chars(SPACES)
    return tidy.set(tidy.str.len_bytes() == 0, None)


def read_codes(cells: pl.Series) -> Parsed:
    """Read a column of identifiers that stay text (a UKPRN, the number of a company): as `read_texts` does, but
    scientific notation is faulty."""
    texts = read_texts(cells)
    mangled = texts.values.str.contains(f"^{SCIENTIFIC.pattern}$").fill_null(value=False)
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
