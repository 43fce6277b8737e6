"""Where a table's header stands, when it isn't in the first row: below a title, or below merged cells."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator

from academy.imports.formats.reading import Column

MOST_ROWS = 40
"""A header is looked for in so many rows."""


_BETWEEN_WORDS = re.compile(r"[\s_-]+")


def plain_name(name: str) -> str:
    """A column's name without regard to case, blanks, underscores and hyphens: `Academic Year` is `academic_year`."""
    return _BETWEEN_WORDS.sub("", name).casefold()


def row_of_header(text: str, columns: Iterable[Column], *, after: int) -> int | None:
    """The first row after `after` that names all required columns, counted as a spreadsheet does; None when none of
    the first rows does."""
    wanted = [{plain_name(n) for n in (c.name, *c.aliases)} for c in columns if c.required]
    if not wanted:
        return None
    for row, cells in enumerate(_rows(text), 1):
        names = {plain_name(cell) for cell in cells}
        if row > after and all(names & spellings for spellings in wanted):
            return row
    return None


def _rows(text: str) -> Iterator[Collection[str]]:
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""))):
            if number == MOST_ROWS:
                return
            yield cells
    except csv.Error:
        return


def is_separator_line(line: bytes) -> bool:
    """True for the line that tells a spreadsheet to part columns by commas: `sep=,`."""
    return line.strip().strip(b'"').lower().replace(b" ", b"") == b"sep=,"


def is_web_page(start: bytes) -> bool:
    """True for the start of an HTML or XML page."""
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return plain.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<!--"))


def cells_of_last_line(block: bytes, encoding: str) -> int | None:
    """How many cells the last line of a block has that isn't blank; None when it is a part of a record of several
    lines, or can't be read."""
    text = block.rstrip(b"\r\n")
    line = text[text.rfind(b"\n") + 1 :]
    if line.count(b'"') % 2 or not line.strip(b", \t\r"):
        return None
    try:
        return len(next(csv.reader([line.decode(encoding)])))
    except (csv.Error, UnicodeDecodeError):
        return None
