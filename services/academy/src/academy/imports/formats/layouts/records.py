"""A text file in blocks of whole records: a record ends at a line end outside quotation marks.

Every byte is looked at a fixed number of times, whatever is in the file: what has been read of a record that hasn't
ended is kept in pieces, with whether a quotation mark is open at its end, and never searched again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, NoReturn

from academy.imports.codes import RowCode
from academy.imports.formats.reading import FileRefused

BLOCK: Final = 16 << 20
"""This much text is read at once: large enough to be fast, small enough to bound memory."""

LONGEST_RECORD: Final = 4 << 20
"""No row of a real table is longer."""

LONGEST_LINE: Final = 64 << 10
"""No object on a line of its own is longer. The parser of NDJSON takes the square of an object's repeated names."""

MOST_CELLS: Final = 1 << 23
"""A block is parted until it has at most so many cells: 16 MiB of blank lines would become 16 million rows."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records: their text, the line on which they begin, and the place in the file at which they end."""

    text: bytes
    line: int
    end: int


def end_of_record(text: bytes, begin: int) -> int:
    """Just after the line end that closes the record that begins here; the end of the text when none does."""
    place, end = begin, begin
    while True:
        if end <= place:
            end = text.find(b"\n", place) + 1
        if not end:
            return len(text)
        opening = text.find(b'"', place, end)
        if opening < 0:
            return end
        closing = text.find(b'"', opening + 1)
        if closing < 0:
            return len(text)
        place = closing + 1


def last_end_of_record(text: bytes, *, is_open: bool = False) -> int:
    """Just after the last line end outside quotation marks; 0 when there is none.

    `is_open` says that a quotation mark is open where the text begins.
    """
    end = text.rfind(b"\n") + 1
    # From the end backwards, between one quotation mark and the one before it: mostly the first look is enough.
    is_inside = is_open ^ (text.count(b'"', 0, end) % 2 == 1)
    while end > 0:
        quote = text.rfind(b'"', 0, end)
        if not is_inside and (found := text.rfind(b"\n", quote + 1, end)) >= 0:
            return found + 1
        is_inside, end = not is_inside, quote
    return 0


def record_blocks(file: BinaryIO, columns: int, *, line: int) -> Iterator[Block]:
    """The rest of a CSV file in blocks that hold no more cells than fit in memory; `line` is the first one's number.

    Raises FileRefused for a record that doesn't end: for its quotation mark, or for its length when none is open.
    """
    waiting: list[bytes] = []
    size, is_open, end = 0, False, 0
    for piece, end in read_blocks(file, columns):
        cut = last_end_of_record(piece, is_open=is_open)
        rest = piece[cut:]
        if cut:
            text = b"".join([*waiting, piece[:cut]])
            yield Block(text, line, end - len(rest))
            line += text.count(b"\n")
            waiting, size, is_open = [], 0, False
        waiting.append(rest)
        size += len(rest)
        is_open ^= rest.count(b'"') % 2 == 1
        if size > LONGEST_RECORD:
            refuse_endless(line, LONGEST_RECORD, is_open=is_open)
    if is_open:
        refuse_endless(line, LONGEST_RECORD, is_open=True)
    if size:
        yield Block(b"".join(waiting), line, end)


def line_blocks(file: BinaryIO, columns: int) -> Iterator[Block]:
    """The rest of a file in blocks of whole lines, each with its line end, that hold no more cells than fit in memory.

    Raises FileRefused for a line that is too long.
    """
    waiting: list[bytes] = []
    line, size, end = 1, 0, 0
    for piece, end in read_blocks(file, columns):
        cut = piece.rfind(b"\n") + 1
        rest = piece[cut:]
        if cut:
            text = b"".join([*waiting, piece[:cut]])
            place = overlong_line(text, LONGEST_LINE)
            if place is not None:
                refuse_endless(line + text.count(b"\n", 0, place), LONGEST_LINE)
            yield Block(text, line, end - len(rest))
            line += text.count(b"\n")
            waiting, size = [], 0
        waiting.append(rest)
        size += len(rest)
        if size > LONGEST_LINE:
            refuse_endless(line, LONGEST_LINE)
    if size:
        yield Block(b"".join([*waiting, b"\n"]), line, end)


def overlong_line(text: bytes, longest: int) -> int | None:
    """Where the first line begins that is longer than this many bytes; None when no line is."""
    half = longest // 2
    for begin in range(0, len(text) - half + 1, half):
        # Every line that is too long has a whole window in it.
        if text.find(b"\n", begin, begin + half) < 0:
            start = text.rfind(b"\n", 0, begin) + 1
            end = text.find(b"\n", begin)
            if (len(text) if end < 0 else end) - start > longest:
                return start
    return None


def refuse_endless(line: int, longest: int, *, is_open: bool = False) -> NoReturn:
    """Raises FileRefused for a record that is too long, or whose quotation mark is never closed."""
    if is_open:
        detail = f"A quotation mark that opens at line {line} or after it is never closed."
        raise FileRefused(RowCode.QUOTE_UNCLOSED, detail, row=line)
    size = f"{longest >> 20} MiB" if longest >> 20 else f"{longest >> 10} KiB"
    detail = f"Line {line} is longer than {size}."
    raise FileRefused(RowCode.LINE_TOO_LONG, detail, row=line)


def read_blocks(file: BinaryIO, columns: int) -> Iterator[tuple[bytes, int]]:
    """The rest of the file in blocks that hold no more cells than fit in memory, each with where it ends."""
    position = file.tell()
    while read := file.read(BLOCK):
        for part in _parts(read, max(MOST_CELLS // columns, 1)):
            position += len(part)
            yield part, position


def _parts(block: bytes, lines: int) -> Iterator[bytes]:
    if block.count(b"\n") <= lines or len(block) < 2:
        yield block
    else:
        half = len(block) // 2
        yield from _parts(block[:half], lines)
        yield from _parts(block[half:], lines)
