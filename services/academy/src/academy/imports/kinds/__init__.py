"""Every kind of file that can be imported, and reading one into validated frames.

Nothing here knows HTTP or the database. `read_batches` gives a file piece by piece, so that a file of any
allowed size is read in bounded memory; `read_file` gives it whole. Neither raises for what is in the file:
what is wrong with it is in `Reading.errors`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from academy.imports.decoding import FileRefused
from academy.imports.kinds.every import EVERY
from academy.imports.kinds.kind import Column, Kind, ReleaseStatus, Request
from academy.imports.kinds.reading import (
    MOST_ERRORS_KEPT,
    SCHEMAS,
    TABLES,
    Reading,
    ReadingWarning,
    RowError,
    copy_csv,
)
from academy.imports.rules import Layer

__all__ = [
    "KINDS",
    "MOST_ERRORS_KEPT",
    "SCHEMAS",
    "TABLES",
    "Column",
    "Kind",
    "Layer",
    "Reading",
    "ReadingWarning",
    "ReleaseStatus",
    "RowError",
    "copy_csv",
    "read_batches",
    "read_file",
]

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.code: kind for kind in EVERY})
"""Every kind by its code."""


def read_batches(
    kind: str, path: Path, *, academic_year: str | None, release: str = "final", latest_year: str | None = None
) -> Iterator[Reading]:
    """Read an unpacked file (`decoding.unpack`) piece by piece: frames and counts of each piece, to be added
    up.

    Errors that only show across pieces (a key given twice) come with the last one, so that nothing may be
    kept before the end. `academic_year` is `2018/19`; figures of years after `latest_year` are faults. Raises
    KeyError for an unknown kind and ValueError for an unknown release.
    """
    request = Request(academic_year, ReleaseStatus(release), latest_year)
    try:
        yield from KINDS[kind].read(path, request)
    except FileRefused as refused:
        reading = Reading()
        reading.refuse([RowError(refused.row, refused.column, refused.code, refused.detail)])
        yield reading


def read_file(
    kind: str, path: Path, *, academic_year: str | None, release: str = "final", latest_year: str | None = None
) -> Reading:
    """Read an unpacked file whole. Same arguments as `read_batches`."""
    whole = Reading()
    pieces: dict[str, list[pl.DataFrame]] = {}
    for batch in read_batches(kind, path, academic_year=academic_year, release=release, latest_year=latest_year):
        whole.add(batch)
        for table, frame in batch.frames.items():
            pieces.setdefault(table, []).append(frame)
    whole.frames = {table: pl.concat(frames) for table, frames in pieces.items()}
    return whole
