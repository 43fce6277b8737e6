"""Problems as answers: whatever is raised while a request is served becomes problem+json, or is a fault of ours."""

from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from kit import problems
from kit.database.outages import DRIVER_ERRORS, is_outage, unavailable
from kit.disks import FULL
from kit.field_codes import KitCode
from kit.problems import FieldError, Problem
from kit.telemetry.logs import masked_path
from kit.web.exchange import exchange_of
from kit.web.replies import NotModified
from kit.web.validation import field_errors

LONGEST_INSTANCE = 500
FULL_SECONDS = 60

_BY_STATUS: dict[int, type[Problem]] = {
    400: problems.MalformedRequest,
    401: problems.Unauthorized,
    403: problems.Forbidden,
    404: problems.NotFound,
    405: problems.MethodNotAllowed,
    406: problems.NotAcceptable,
    409: problems.Conflict,
    410: problems.Gone,
    412: problems.PreconditionFailed,
    413: problems.PayloadTooLarge,
    415: problems.UnsupportedMediaType,
    422: problems.InvalidRequest,
    428: problems.PreconditionRequired,
    429: problems.TooManyRequests,
    503: problems.ServiceUnavailable,
}


class ValueNotStorable(problems.InvalidRequest):
    """A value is outside what can be stored."""

    code = "invalid-request"
    title = "Invalid request"


def problem_response(problem: Problem, scope: Scope) -> Response:
    """The answer that tells a problem."""
    exchange = exchange_of(scope)
    exchange.problem_code = problem.code
    path = masked_path(scope["path"])
    instance = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in path)
    body = problem.body(instance=instance[:LONGEST_INSTANCE], trace_id=exchange.request_id)
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(orjson.dumps(body, default=str), problem.status, headers=headers, media_type=problems.MEDIA_TYPE)


def problem_of(error: BaseException) -> Problem | None:
    """What a caller is told about an error; None when it is a fault of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return problems.InvalidRequest(errors=field_errors(error.errors(), error.body))
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code)
        if kind is not None:
            detail = error.detail if error.status_code in {400, 413} else None
            return kind(detail, headers=error.headers)
    if (later := _of_the_moment(error)) is not None:
        return later
    if _is_bad_value(error):
        detail = "A value is outside what can be stored."
        return ValueNotStorable(detail, errors=[FieldError.in_body([], KitCode.NOT_STORABLE, detail)])
    return None


def _of_the_moment(error: BaseException) -> Problem | None:
    """What is no fault of the request nor of ours: the database is away, or a disk is full."""
    if is_outage(error):
        return unavailable(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return problems.ServiceUnavailable("There is no space left on the disk.", retry_after_seconds=FULL_SECONDS)
    return None


def _is_bad_value(error: BaseException) -> bool:
    """Data errors of the database (SQLSTATE class 22): numbers out of range, text that it can't keep."""
    if isinstance(error, DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        return cause is not None and _is_bad_value(cause)
    return isinstance(error, asyncpg.DataError) or str(getattr(error, "sqlstate", "") or "").startswith("22")


async def _answer(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem_response(problem, request.scope)


async def _answer_fault(request: Request, _: Exception) -> Response:
    return problem_response(problems.InternalError("This is a fault of ours; it was logged."), request.scope)


async def _not_modified(_: Request, error: Exception) -> Response:
    assert isinstance(error, NotModified)
    return error.response


def install(app: FastAPI) -> None:
    """Let the app answer with problems."""
    kinds: list[Any] = [
        Problem,
        RequestValidationError,
        HTTPException,
        DBAPIError,
        AsyncAdapt_asyncpg_dbapi.Error,
        PoolTimeoutError,
        *DRIVER_ERRORS,
        OSError,
    ]
    for kind in kinds:
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(NotModified, _not_modified)
    app.add_exception_handler(Exception, _answer_fault)
