"""What a kind of import is: who publishes it, what its columns are, and the function that reads it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from academy.imports.formats.reading import Column, Reading, Request
from academy.imports.rules import LOADS, Load
from academy.observations.rules import Layer


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
    layer: Layer = Layer.NATIONAL

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
        """Who may load it."""
        return LOADS[self.layer]
