"""What a kind of import is: who publishes it, what its columns are, and the function that reads it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import orjson

from academy.imports.kinds.reading import Reading
from academy.imports.rules import LOADS, Layer, Load


class ReleaseStatus(StrEnum):
    """How settled published figures are. Final beats revised beats provisional."""

    PROVISIONAL = "provisional"
    REVISED = "revised"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read. Files of some years call it by one of the `aliases`."""

    name: str
    meaning: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    example: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was said with the file. `academic_year` is `2018/19` or None. `latest_year` is the latest that figures
    can be of; None for any."""

    academic_year: str | None = None
    release: ReleaseStatus = ReleaseStatus.FINAL
    latest_year: str | None = None


class Reader(Protocol):
    """Reads a file in batches. Raises FileRefused when the file as a whole can't be read."""

    def __call__(self, path: Path, request: Request) -> Iterator[Reading]: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of import, as `GET /academy/v1/imports/kinds/{kind}/template` shows it."""

    code: str
    title: str
    publisher: str
    media_types: tuple[str, ...]
    needs_academic_year: bool
    columns: tuple[Column, ...]
    read: Reader
    example_rows: tuple[Mapping[str, str | float], ...]
    notes: str = ""

    def example(self, *, every_column: bool = True) -> str:
        """A small file that would be taken: CSV, with all columns or those that its rows fill, or JSON."""
        if "application/json" in self.media_types:
            return orjson.dumps(self.example_rows, option=orjson.OPT_INDENT_2).decode()
        names = [column.name for column in self.columns] if every_column else list(self.example_rows[0])
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.example_rows)
        return text.getvalue()

    @property
    def load(self) -> Load:
        """Whose data it brings, and who may bring it."""
        return LOADS[self.code]

    @property
    def layer(self) -> Layer:
        """Whose data it brings."""
        return self.load.layer

    @property
    def scope(self) -> str:
        """The scope that loading it needs."""
        return self.load.scope
