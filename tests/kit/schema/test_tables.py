"""Columns that hold a document and give a model."""

from pydantic import BaseModel, ConfigDict
from sqlalchemy.engine.default import DefaultDialect

from kit.schema.tables import Document

DIALECT = DefaultDialect()


class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")

    number: int
    words: str = ""


class Book(BaseModel):
    pages: list[Page]


def test_a_document_is_written_as_json_and_read_as_its_model() -> None:
    column, book = Document(Book), Book(pages=[Page(number=1, words="One")])
    stored = column.process_bind_param(book, DIALECT)
    assert stored == {"pages": [{"number": 1, "words": "One"}]}
    assert column.process_result_value(stored, DIALECT) == book


def test_what_a_later_release_adds_is_left_out() -> None:
    stored = {"pages": [{"number": 1, "words": "One", "colour": "red"}], "title": "Later"}
    assert Document(Book).process_result_value(stored, DIALECT) == Book(pages=[Page(number=1, words="One")])


def test_nothing_stays_nothing() -> None:
    assert Document(Book).process_bind_param(None, DIALECT) is None
    assert Document(Book).process_result_value(None, DIALECT) is None
