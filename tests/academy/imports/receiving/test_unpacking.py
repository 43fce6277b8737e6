"""Unpacking within limits: what is gzip, what is cut off, what is a bomb, what is something else."""

import gzip
import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from academy.imports.formats.reading import FileRefused
from academy.imports.receiving.unpacking import (
    MOST_MEMBERS,
    PIECE,
    FileTooLarge,
    Unpacker,
    UnpackLimits,
)

TEXT = b"urn,measure\n100000,ks4.progress_8\n" * 50


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def unpacked(data: bytes, size: int = 64, limits: UnpackLimits | None = None) -> bytes:
    unpacker = Unpacker(limits or UnpackLimits())
    found = b"".join(b"".join(unpacker.feed(piece)) for piece in pieces(data, size))
    return found + b"".join(unpacker.finish())


@given(data=st.binary(min_size=1, max_size=5000), size=st.integers(1, 6000))
def test_gzip_comes_back_however_it_arrives(data: bytes, size: int) -> None:
    assert unpacked(gzip.compress(data), size) == data


@pytest.mark.parametrize("size", [1, 7, 15, 16, 17, 4096])
def test_plain_text_passes_through(size: int) -> None:
    assert unpacked(TEXT, size) == TEXT
    assert unpacked(b"a,b\n", size) == b"a,b\n"


def test_several_members_and_padding_are_one_file() -> None:
    assert unpacked(gzip.compress(TEXT) + gzip.compress(b"more\n") + b"\0" * 20) == TEXT + b"more\n"


@pytest.mark.parametrize("size", [5, 1000, 1 << 20])
def test_blocks_of_a_gzip_that_can_be_sought_in_are_one_file(size: int) -> None:
    blocks = b"".join(gzip.compress(part) for part in pieces(TEXT * 40, 97))
    assert unpacked(blocks, size) == TEXT * 40


def test_more_members_than_any_file_needs_are_refused_soon() -> None:
    many = gzip.compress(b"") * (MOST_MEMBERS + 1)
    started = time.process_time()
    with pytest.raises(FileRefused) as refused:
        unpacked(many, 1 << 20)
    assert refused.value.code == "gzip_members"
    assert time.process_time() - started < 5
    assert unpacked(gzip.compress(TEXT) + gzip.compress(b"") * 1000, 1 << 20) == TEXT


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
def test_a_gzip_that_is_cut_off_is_refused(size: int) -> None:
    packed = gzip.compress(TEXT)
    for end in (12, len(packed) // 2, len(packed) - 4):
        with pytest.raises(FileRefused) as refused:
            unpacked(packed[:end], size)
        assert refused.value.code == "gzip_truncated"


def test_a_damaged_gzip_is_refused() -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[-5] ^= 0xFF
    with pytest.raises(FileRefused) as refused:
        unpacked(bytes(packed))
    assert refused.value.code == "gzip_damaged"


def test_junk_after_a_gzip_is_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        unpacked(gzip.compress(TEXT) + b"junk that is no gzip member")
    assert refused.value.code == "gzip_damaged"


def test_a_file_that_unpacks_to_too_much_is_stopped_early() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    unpacker = Unpacker(UnpackLimits(unpacked_bytes=1 << 30, ratio=100))

    def feed() -> None:
        for piece in pieces(bomb, 4096):
            for plain in unpacker.feed(piece):
                assert len(plain) <= PIECE

    with pytest.raises(FileTooLarge) as refused:
        feed()
    assert refused.value.code == "ratio_too_high"
    assert unpacker.unpacked < 16 << 20


def test_the_limit_of_bytes_holds_for_plain_files_too() -> None:
    with pytest.raises(FileTooLarge) as refused:
        unpacked(TEXT, limits=UnpackLimits(unpacked_bytes=1000))
    assert refused.value.code == "file_too_large"


def test_a_small_file_of_one_repeated_line_is_no_bomb() -> None:
    data = b"100000,ks4.progress_8\n" * 50_000
    assert unpacked(gzip.compress(data)) == data


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", TEXT)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data", [_zip(), b"%PDF-1.7 and so on....", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old Excel", b"PAR1 parquet data"]
)
def test_other_packages_are_named(data: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        unpacked(data)
    assert refused.value.code == "format_unsupported"
    assert "gzipped" in refused.value.detail


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        unpacked(b"")
    assert refused.value.code == "file_empty"
