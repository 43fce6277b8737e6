"""Logs: one JSON object a line, found by request id, without secrets and personal data."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError

from kit.telemetry.logs import configure_logs, error_fields, logger, request_id, scrubbed, write_line


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What was logged, read back when it is looked at."""
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level, hook = root.handlers, root.level, sys.excepthook
    monkeypatch.setattr(sys, "stdout", out)
    # What a uvicorn elsewhere in this process leaves behind.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    configure_logs("academy", "INFO")

    class Lines(list[dict[str, Any]]):
        def __iter__(self) -> Iterator[dict[str, Any]]:
            return iter([json.loads(line) for line in out.getvalue().splitlines()])

    yield Lines()
    root.handlers, sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def test_line_is_json_with_time_service_level_and_facts(lines: list[dict[str, Any]]) -> None:
    logger("imports").info("import finished", rows=3)
    (line,) = list(lines)
    assert line.pop("at").endswith("Z")
    assert line == {"event": "import finished", "level": "info", "rows": 3, "service": "academy"}


def test_line_carries_the_request_id(lines: list[dict[str, Any]]) -> None:
    token = request_id.set("0193e2f1")
    logger("x").info("one")
    request_id.reset(token)
    logger("x").info("two")
    assert [line.get("request_id") for line in lines] == ["0193e2f1", None]


def test_libraries_log_in_the_same_shape(lines: list[dict[str, Any]]) -> None:
    logging.getLogger("some.library").warning("%s things", 3, extra={"colour": "red"})
    logging.getLogger("uvicorn.error").info("Started", extra={"color_message": "\x1b[36mStarted"})
    first, second = list(lines)
    assert (first["event"], first["logger"], first["colour"], first["level"]) == (
        "3 things", "some.library", "red", "warning",
    )  # fmt: skip
    assert "color_message" not in second


def test_levels_below_are_left_out(lines: list[dict[str, Any]]) -> None:
    logger("x").debug("no")
    logging.getLogger("library").debug("no")
    # It would log paths with their queries.
    logging.getLogger("uvicorn.access").info('"GET /x?secret=1"')
    logging.getLogger("httpx").info("HTTP Request: GET http://x?secret=1")
    assert list(lines) == []


def test_errors_are_told_as_data_with_their_causes(lines: list[dict[str, Any]]) -> None:
    def fail() -> None:
        try:
            dict[str, int]()["inner"]
        except KeyError as error:
            raise RuntimeError("outer") from error

    try:
        fail()
    except RuntimeError:
        logger("x").exception("it failed")
        logging.getLogger("library").exception("it failed there")
    for line in lines:
        assert line["level"] == "error"
        assert line["error"]["type"] == "builtins.RuntimeError"
        assert line["error"]["message"] == "outer"
        assert line["error"]["cause"]["type"] == "builtins.KeyError"
        assert "test_logs.py" in line["error"]["frames"][-1]


def test_values_that_are_no_json_are_no_trouble(lines: list[dict[str, Any]]) -> None:
    logger("x").info("odd", thing=object(), keys={1: 2})
    assert len(list(lines)) == 1


TOKEN = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJwZXJzb246MSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("message", "instead"),
    [
        (f"refused {TOKEN} here", "refused [token] here"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [secret]"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic [secret]"),
        ("postgresql://app:secret@db:5432/trellis", "postgresql://[secret]@db:5432/trellis"),
        ("GET /x?name=Jane&token=abc HTTP/1.1", "GET /x?[query] HTTP/1.1"),
        ("Really?", "Really?"),
        ("plain words", "plain words"),
    ],
)
def test_secrets_are_taken_out_of_messages(message: str, instead: str) -> None:
    assert scrubbed(message) == instead


def test_messages_are_cut() -> None:
    assert len(scrubbed("x" * 10_000)) == 500


class Person(BaseModel):
    """Somebody."""

    name: int


def test_errors_that_repeat_values_are_told_without_their_message() -> None:
    with pytest.raises(ValidationError) as refused:
        Person(name="Jane Doe")  # type: ignore[arg-type]
    unique = asyncpg.UniqueViolationError('duplicate key: "(email)=(jane@example.org)"')
    unique.constraint_name = "person_email_key"
    original = Exception("driver: jane@example.org")
    original.__cause__ = unique
    wrapped = DBAPIError("insert into person", {"email": "jane@example.org"}, original)
    for error in (refused.value, unique, wrapped):
        text = json.dumps(error_fields(error))
        assert "jane" not in text.lower().replace("unique", "")
        assert "message" not in error_fields(error)
    assert error_fields(wrapped)["constraint_name"] == "person_email_key"
    assert error_fields(wrapped)["sqlstate"] == "23505"


def test_groups_of_errors_tell_each() -> None:
    group = ExceptionGroup("several", [ValueError("a"), KeyError("b")])
    assert [one["type"] for one in error_fields(group)["errors"]] == ["builtins.ValueError", "builtins.KeyError"]


def test_error_that_causes_itself_is_told_once() -> None:
    error = RuntimeError("x")
    error.__context__ = error
    assert "cause" not in error_fields(error)


def test_end_of_the_process_is_told(lines: list[dict[str, Any]]) -> None:
    error = MemoryError("x")
    sys.excepthook(MemoryError, error, None)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert [line["event"] for line in lines] == ["the process ends"]


def test_line_of_a_request_goes_straight_out(capfd: pytest.CaptureFixture[str]) -> None:
    write_line({"event": "request", "status": 200})
    assert json.loads(capfd.readouterr().out) == {"event": "request", "status": 200}
