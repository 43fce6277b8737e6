"""Registers: files with a row an entry, and the reading that they share."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from academy.imports.codes import RowCode
from academy.imports.formats.cells.columns import (
    Parsed,
    read_codes,
    read_dates,
    read_identifiers,
    read_texts,
    read_whole_numbers,
)
from academy.imports.formats.cells.faults import Checker, Seen, ending
from academy.imports.formats.cells.schools import PHASE_WORDS, PHASES_LISTED, TYPE_WORDS, TYPES, plain_word
from academy.imports.formats.cells.symbols import reason_of
from academy.imports.formats.cells.values import shown
from academy.imports.formats.layouts.csv_file import CsvFile
from academy.imports.formats.reading import SCHEMAS, Column, Reading

Pair = tuple[str, str]
TYPE_COLUMNS: Final = ("TypeOfEstablishment (code)", "TypeOfEstablishment (name)")
PHASE_COLUMNS: Final = ("PhaseOfEducation (code)", "PhaseOfEducation (name)")
"""Code and name of a school's type and phase, as the register's own files call them."""


class Rows:
    """A batch of a register's rows while it is read: columns by name, absent ones null, faults noted."""

    def __init__(self, frame: pl.DataFrame, check: Checker) -> None:
        self.frame, self.check = frame, check

    def text(self, name: str) -> pl.Series:
        """A column of text."""
        return self._read(name, read_texts, pl.String())

    def code(self, name: str) -> pl.Series:
        """A column of identifiers that stay text."""
        return self._read(name, read_codes, pl.String())

    def date(self, name: str) -> pl.Series:
        """A column of dates."""
        return self._read(name, read_dates, pl.Date())

    def number(self, name: str) -> pl.Series:
        """A column of whole numbers."""
        values = self._read(name, read_whole_numbers, pl.Int32())
        self.check.refuse(
            name, values < 0, RowCode.OUT_OF_RANGE, lambda place: f"{values[place]} is less than nothing."
        )
        return values

    def word(self, name: str, known: Container[str], listed: str) -> pl.Series:
        """A column of official words or their codes, as they are written; those that aren't `known` are noted.

        `known` are words as `plain_word` gives them, `listed` is how people read them.
        """
        detail = f"is not known here; known are {listed}."
        return self._known(name, self.text(name), known.__contains__, RowCode.UNKNOWN_WORD, detail)

    def digits(self, name: str) -> pl.Series:
        """A column of identifiers that are digits and stay text."""
        return self._known(name, self.code(name), str.isdecimal, RowCode.NOT_A_CODE, "is not a code of digits.")

    def _known(
        self, name: str, values: pl.Series, is_known: Callable[[str], bool], code: RowCode, detail: str
    ) -> pl.Series:
        odd = [cell for cell in values.drop_nulls().unique() if not is_known(plain_word(cell))]
        empty = [cell for cell in odd if reason_of(cell) is not None]
        unknown = values.is_in([cell for cell in odd if cell not in empty])
        self.check.refuse(name, unknown, code, lambda place: f"{shown(values[place])} {detail}")
        return values.set(values.is_in(empty).fill_null(value=False), None)

    def school_types(self, of_type: Pair = TYPE_COLUMNS, of_phase: Pair = PHASE_COLUMNS) -> Iterator[pl.Series]:
        """The four columns of types of establishment and phases, by code and by name.

        The register adds types now and then: a name that isn't known here counts if there is a code beside it.
        """
        codes = self.digits(of_type[0])
        names = self.text(of_type[1])
        odd = [name for name in names.drop_nulls().unique() if plain_word(name) not in TYPE_WORDS]
        strange = names.is_in([name for name in odd if reason_of(name) is None]) & codes.is_null()
        self.check.refuse(
            of_type[1],
            strange,
            RowCode.UNKNOWN_WORD,
            lambda place: f"{shown(names[place])} is no known type of establishment; known are {', '.join(TYPES)}.",
        )
        yield from (codes, names)
        for name in of_phase:
            yield self.word(name, PHASE_WORDS, PHASES_LISTED)

    def _read(self, name: str, read: Callable[[pl.Series], Parsed], dtype: pl.DataType) -> pl.Series:
        if name not in self.frame.columns:
            return pl.Series(name, [None], dtype=dtype).new_from_index(0, self.frame.height)
        return self.check.note(name, read(self.frame[name])).alias(name)

    def urn(self, name: str = "URN") -> pl.Series:
        """The column of URNs, of which none may be missing."""
        return self.check.urns(name, self.frame[name], read_identifiers(self.frame[name]))

    def required(self, name: str, values: pl.Series) -> pl.Series:
        """Note where a value is missing that a row can't do without."""
        missing = values.is_null() & ~self.check.faulty
        self.check.refuse(name, missing, RowCode.VALUE_MISSING, lambda _: f"{name} is empty.")
        return values


Fill = Callable[[Rows, Reading], pl.Series]
"""Puts a batch's rows into the reading's frames; gives the key of each row that was kept, null for the
others."""


def read_register(
    path: Path,
    columns: tuple[Column, ...],
    fill: Fill,
    *,
    source: str,
    key: str,
    passed_over: tuple[str, ...] = (),
    is_kept: Callable[[pl.DataFrame], pl.Expr] | None = None,
    at_end: Callable[[Reading], None] | None = None,
) -> Iterator[Reading]:
    """Read a register. `key` says in words what may stand in it once only; rows where `is_kept` is false are
    passed over, whatever is in them. `at_end` notes what only the whole file shows."""
    sheet = CsvFile(path, may_be_cp1252=True)
    chosen = sheet.choose(columns, known=passed_over)
    first = Reading(source=source, warnings=sheet.warnings, done=0.0)
    first.refuse(sheet.errors)
    yield first
    if not first.is_valid:
        return
    seen, total = Seen(key), 0
    for batch, ragged, done in sheet.batches(chosen):
        reading = Reading(rows_read=batch.height, done=done)
        total += batch.height
        frame = batch if is_kept is None else batch.filter(is_kept(batch))
        check = Checker(frame["row"])
        check.ragged(ragged)
        keys = fill(Rows(frame, check), reading)
        seen.add(keys.to_frame("key").filter(keys.is_not_null()), frame["row"].filter(keys.is_not_null()))
        reading.rows_accepted = int((keys.is_not_null() & ~check.faulty).sum())
        reading.rows_ignored = reading.rows_read - reading.rows_accepted - int(check.faulty.sum())
        check.report(reading)
        if check.total:
            reading.frames.clear()
        yield reading
    last = ending(seen, total)
    last.warn(sheet.last_warnings())
    if at_end is not None:
        at_end(last)
    yield last


def as_table(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that the table has, in its types and order; others are dropped."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMAS[table].items() if name in frame.columns)


def columns_in_file(frame: pl.DataFrame, sources: Mapping[str, Sequence[str]], columns: Container[str]) -> pl.DataFrame:
    """Without the columns that the file can't fill: those whose `sources` are all missing from its `columns`.

    A column that is missing leaves the register as it is; an empty one would clear it.
    """
    missing = [
        name
        for name, named in sources.items()
        if not any(source in columns for source in ((named,) if isinstance(named, str) else named))
    ]
    return frame.drop(missing, strict=False)
