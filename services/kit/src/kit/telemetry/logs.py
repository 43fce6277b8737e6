"""Structured logs: one JSON object per line on standard output, found again by request id.

No personal data: no bodies, no query strings, no tokens, no subjects; errors of the database and of
validation are told without the values in them.
"""

import contextlib
import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

import asyncpg
import orjson
import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

MOST_FRAMES = 12
LONGEST_MESSAGE = 500
# Their messages repeat values of rows and requests.
_REVEALING: list[type[BaseException]] = [DBAPIError, asyncpg.PostgresError, ValidationError, UnicodeError]
# What comes after it opens a shared link.
SHARED_PATH = re.compile(r"(?i)(/shared/)[^/\s\"']+")
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+"), r"\1 [secret]"),
    (re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*"), "[token]"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]*@"), "://[secret]@"),
    (re.compile(r"\?[^\s\"']+"), "?[query]"),
    (SHARED_PATH, r"\1[token]"),
)


def hide_messages_of(kind: type[BaseException]) -> None:
    """Log errors of this kind without their message."""
    if kind not in _REVEALING:
        _REVEALING.append(kind)


def scrubbed(message: str) -> str:
    """A message without tokens, passwords and query strings."""
    for pattern, instead in _SECRETS:
        message = pattern.sub(instead, message)
    return message[:LONGEST_MESSAGE]


def masked_path(path: str) -> str:
    """A path without the secret of a shared link."""
    return SHARED_PATH.sub(r"\1[token]", path)


def _short(filename: str) -> str:
    """A file's last three folders say enough."""
    return "/".join(filename.split("/")[-3:])


def error_fields(error: BaseException) -> dict[str, Any]:
    """An error for the log: what kind, where, and what it says as long as that is harmless."""
    kind = type(error)
    out: dict[str, Any] = {"type": f"{kind.__module__}.{kind.__qualname__}"}
    database_error = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(database_error, asyncpg.PostgresError):
        # Names of the schema, never values.
        for name in ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name"):
            if value := getattr(database_error, name, None):
                out[name] = value
    if not isinstance(error, tuple(_REVEALING)):
        out["message"] = scrubbed(str(error))
    out["frames"] = [
        f"{_short(frame.filename)}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    ]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and cause is not error:
        out["cause"] = {name: value for name, value in error_fields(cause).items() if name != "cause"}
    if isinstance(error, BaseExceptionGroup):
        out["errors"] = [error_fields(one) for one in error.exceptions[:5]]
    return out


def _with_request(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "request_id" not in event and (found := request_id.get()) is not None:
        event["request_id"] = found
    return event


def _with_error(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event["error"] = error_fields(found)
    return event


def _scrub_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # uvicorn's second spelling of its message, for terminals.
    event.pop("color_message", None)
    event["event"] = scrubbed(str(event.get("event", "")))
    return event


def _to_json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


_SHARED: list[structlog.typing.Processor] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    _with_request,
    _with_error,
    _scrub_event,
]


# At once and not when a service starts: structlog's own way of telling an error shows local variables,
# and with them tokens and rows.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


class _JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """Lines of libraries in the same shape as ours."""

    def __init__(self, service: str) -> None:
        def with_service(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
            event["service"] = service
            return event

        super().__init__(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *_SHARED],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, with_service, _to_json],
        )

    def formatException(self, ei: Any) -> str:  # noqa: ARG002, N802 - the library's name
        """Nothing: the error is told as data."""
        return ""


def configure_logs(service: str, level: str) -> None:
    """Everything that this process logs goes to standard output as JSON, from this level on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter(service))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        # One level for everything, whatever another server in this process has set.
        library.setLevel(logging.NOTSET)
    # It would log paths with their query strings; the kit logs each request itself.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("httpx", "httpcore", "procrastinate"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    sys.excepthook = _uncaught


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger("process").critical("the process ends", exc_info=error.with_traceback(trace))


def write_line(facts: dict[str, Any]) -> None:
    """One line for each request, past the machinery of loggers: it costs a tenth."""
    # A log that can't be written must not take the service with it.
    with contextlib.suppress(OSError):
        os.write(1, orjson.dumps(facts, default=str) + b"\n")


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("import finished", rows=3)`; words first, facts as arguments."""
    found: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return found
