"""Records and lines are found in one pass, whatever is in them."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.imports.formats.layouts import records
from academy.imports.formats.layouts.records import (
    end_of_record,
    last_end_of_record,
    line_blocks,
    overlong_line,
    record_blocks,
)
from academy.imports.formats.reading import FileRefused

TEXTS = st.lists(st.sampled_from([b'"', b"\n", b"a", b","]), max_size=40).map(b"".join)


def ends(text: bytes, *, is_open: bool) -> Iterator[int]:
    """Every place just after a line end outside quotation marks."""
    for place, byte in enumerate(text, 1):
        is_open ^= byte == ord('"')
        if byte == ord("\n") and not is_open:
            yield place


@given(TEXTS, st.booleans())
def test_ends_of_records_are_line_ends_outside_quotation_marks(text: bytes, is_open: bool) -> None:
    assert last_end_of_record(text, is_open=is_open) == max(ends(text, is_open=is_open), default=0)
    assert end_of_record(text, 0) == min(ends(text, is_open=False), default=len(text))


@given(TEXTS, st.integers(1, 7))
def test_blocks_are_whole_records_with_their_lines(text: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", size)
        if text.count(b'"') % 2:
            with pytest.raises(FileRefused, match="never closed"):
                list(record_blocks(io.BytesIO(text), 1, line=1))
            return
        blocks = list(record_blocks(io.BytesIO(text), 1, line=1))
    assert b"".join(block.text for block in blocks) == text
    for before, block in zip([None, *blocks], blocks, strict=False):
        assert block.line == 1 if before is None else before.line + before.text.count(b"\n")
        assert text[: block.end].endswith(block.text)
        assert block.text.count(b'"') % 2 == 0


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(2, 20))
def test_lines_that_are_too_long_are_found(lengths: list[int], longest: int) -> None:
    longest -= longest % 2
    lines = [b"x" * length for length in lengths]
    too_long = next((number for number, length in enumerate(lengths) if length > longest), None)
    place = overlong_line(b"\n".join(lines), longest)
    assert place == (None if too_long is None else sum(length + 1 for length in lengths[:too_long]))


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 30))
def test_blocks_of_lines_end_with_a_line_end(lengths: list[int], size: int) -> None:
    text = b"\n".join(b"x" * length for length in lengths)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", size)
        blocks = list(line_blocks(io.BytesIO(text), 1))
    whole = b"".join(block.text for block in blocks)
    assert whole in (text, text + b"\n")
    assert all(block.text.endswith(b"\n") for block in blocks)


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("size", [1 << 10, 1 << 24])
def test_line_that_is_too_long_is_refused_with_its_number(
    end: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "BLOCK", size)
    text = b"{}\n{}\n" + b" " * (records.LONGEST_LINE + 1) + end
    with pytest.raises(FileRefused) as refused:
        list(line_blocks(io.BytesIO(text), 1))
    assert (refused.value.code, refused.value.row) == ("line_too_long", 3)


def test_what_is_kept_of_a_record_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 1 << 10)
    searched = 0
    search = last_end_of_record

    def counted(text: bytes, *, is_open: bool = False) -> int:
        nonlocal searched
        searched += len(text)
        return search(text, is_open=is_open)

    monkeypatch.setattr(records, "last_end_of_record", counted)
    text = b'135874,"' + b"\n" * (1 << 20)
    with pytest.raises(FileRefused):
        list(record_blocks(io.BytesIO(text), 1, line=2))
    assert searched == len(text)
