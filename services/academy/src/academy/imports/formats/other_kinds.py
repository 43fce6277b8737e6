"""Finding the kind that a file seems to be of, where its header doesn't fit the one that was sent with it."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from academy.imports.codes import RowCode
from academy.imports.formats.kind import Kind
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.layouts.headers import plain_name
from academy.imports.formats.reading import FileRefused, Reading, Request
from sector.years import FIRST_YEAR, format_academic_year

_CSV: Final = "text/csv"
_ANY_YEAR: Final = format_academic_year(FIRST_YEAR)


def name_other_kind(reading: Reading, path: Path, request: Request, kind: Kind, every: Iterable[Kind]) -> None:
    """Add to the first error about a missing column which other kinds the header fits best, if it fits any."""
    place = next((n for n, error in enumerate(reading.errors) if error.code == RowCode.COLUMN_MISSING), None)
    if place is None or _CSV not in kind.media_types:
        return
    others = [other for other in every if other is not kind and _CSV in other.media_types]
    known = {other.code: _known(path, other) for other in others if _fits(path, request, other)}
    best = [code for code, names in known.items() if names == max(known.values())]
    if best:
        error = reading.errors[place]
        detail = f"{error.detail} The header fits the kind {' or '.join(best)}."
        reading.errors[place] = replace(error, detail=detail)


def _fits(path: Path, request: Request, kind: Kind) -> bool:
    """True when a kind finds all columns that it requires: its reader itself looks at the header."""
    try:
        # The first batch says what is wrong with the header.
        first = next(iter(kind.read(path, replace(request, academic_year=request.academic_year or _ANY_YEAR))))
    except (FileRefused, StopIteration):
        return False
    return not any(error.code == RowCode.COLUMN_MISSING for error in first.errors)


def _known(path: Path, kind: Kind) -> int:
    """How many names of the header are columns of this kind."""
    names = {plain_name(name) for column in kind.columns for name in (column.name, *column.aliases)}
    return sum(plain_name(name) in names for name in CsvFile(path, may_be_cp1252=True).header)
