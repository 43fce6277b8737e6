"""What goes wrong, said in one shape: problem details (RFC 9457) with a stable code.

A slice raises a named subclass of `Problem` and lists it on its routes with `responses(...)`.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kit.field_codes import FieldCode

MEDIA_TYPE = "application/problem+json"
PROBLEMS = "x-problems"
PROBLEM_SCHEMA: Mapping[str, Any] = {"$ref": "#/components/schemas/ProblemOut"}
COME_BACK = frozenset({429, 502, 503, 504, 507})
"""Statuses that say when to come back (`Retry-After`), always."""


class FieldError(BaseModel):
    """One fault of one part of a request."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)

    pointer: str = Field(
        description="Where: a JSON pointer into the body (`#/items/0/urn`), or `/query/limit`, "
        "`/path/urn`, `/header/if-match` for a parameter.",
        examples=["#/items/0/urn"],
    )
    parameter: str | None = Field(
        default=None, description="Name of the parameter; null for the body.", examples=["limit"]
    )
    code: str = Field(
        description="A stable code for programs. `x-error-codes` of this document lists all; new ones may be added.",
        examples=["greater_than"],
        # Held against the answers of all tests.
        json_schema_extra={"pattern": "^[a-z][a-z0-9_]*$"},
    )
    detail: str = Field(description="One sentence for people.", examples=["Input should be greater than 0"])

    @field_validator("pointer")
    @classmethod
    def _name_the_body(cls, pointer: str) -> str:
        """Pointers of slices are plain JSON pointers into the body (`/items/0/urn`)."""
        if pointer == "" or (pointer.startswith("/") and not pointer.startswith(("/query/", "/path/", "/header/"))):
            return f"#{pointer}"
        return pointer

    @classmethod
    def in_body(cls, path: Sequence[str | int], code: FieldCode, detail: str) -> "FieldError":
        """An error at a place in the body, such as `["items", 0, "urn"]`."""
        steps = (quote(str(step).replace("~", "~0").replace("/", "~1"), safe="~!$&'()*+,;=:@") for step in path)
        return cls(pointer="#" + "".join(f"/{step}" for step in steps), code=code, detail=detail)

    @classmethod
    def in_query(cls, name: str, code: FieldCode, detail: str) -> "FieldError":
        """An error in a query parameter."""
        return cls(pointer=f"/query/{_shown(name)}", parameter=_shown(name), code=code, detail=detail)

    @classmethod
    def in_path(cls, name: str, code: FieldCode, detail: str) -> "FieldError":
        """An error in a part of the path."""
        return cls(pointer=f"/path/{name}", parameter=name, code=code, detail=detail)

    @classmethod
    def in_header(cls, name: str, code: FieldCode, detail: str) -> "FieldError":
        """An error in a header."""
        return cls(pointer=f"/header/{name.lower()}", parameter=name, code=code, detail=detail)


def _shown(name: str) -> str:
    """A name that came from outside, short and printable enough to be said back."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name[:100])


class ProblemOut(BaseModel):
    """An error (RFC 9457, problem details)."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="The kind of error as a URI.", examples=["urn:trellis:problem:not-found"])
    title: str = Field(description="The kind of error in words.", examples=["Not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        description="What happened, for people.", examples=["There is no academy 999999 that you may see."]
    )
    instance: str = Field(description="The path of the request.", examples=["/academy/v1/academies/999999"])
    code: str = Field(description="The kind of error as a stable code.", examples=["not-found"])
    trace_id: str = Field(
        description="Identifies this request in the logs. Quote it when you report a fault.",
        examples=["0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"],
    )
    errors: list[FieldError] = Field(
        description="Every fault of the request; empty for errors that are not about single fields."
    )


def _words(name: str) -> list[str]:
    return re.findall(r"[A-Z]+(?=[A-Z][a-z]|$)|[A-Z][a-z0-9]*|[a-z0-9]+", name)


class Problem(Exception):
    """Something that a request can run into. Subclasses are named after the sad fact.

    `code` is the class name in kebab-case and `title` its words, unless a subclass says otherwise.
    `extensions` are further members of the answer; `example` holds what its example in the contract has of its own.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Problem"
    code: ClassVar[str] = "problem"
    example: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        words = [word if word.isupper() and len(word) > 1 else word.lower() for word in _words(cls.__name__)]
        if "code" not in cls.__dict__:
            cls.code = "-".join(words).lower()
        if "title" not in cls.__dict__:
            sentence = " ".join(words)
            cls.title = sentence[:1].upper() + sentence[1:]

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        if self.status in COME_BACK and not any(name.lower() == "retry-after" for name in self.headers):
            self.headers["Retry-After"] = "1"
        self.extensions = extensions

    def body(self, *, instance: str, trace_id: str) -> dict[str, Any]:
        """The members of the answer."""
        return {
            "type": f"urn:trellis:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail or f"{first_line(type(self))}.",
            "instance": instance,
            "code": self.code,
            "trace_id": trace_id,
            "errors": [error.model_dump() for error in self.errors],
            **self.extensions,
        }


class MalformedRequest(Problem):
    """The request can't be read."""

    status = 400


class InvalidCursor(Problem):
    """The cursor doesn't belong to this list, these filters and this caller."""

    status = 400
    example: ClassVar[Mapping[str, Any]] = {
        "errors": [
            {
                "pointer": "/query/cursor",
                "parameter": "cursor",
                "code": "cursor_invalid",
                "detail": "The cursor isn't one of this list.",
            }
        ]
    }


class Unauthorized(Problem):
    """The request has no valid token."""

    status = 401


class Forbidden(Problem):
    """The caller is known and may not do this."""

    status = 403


class InsufficientScope(Forbidden):
    """The token doesn't have a scope that this operation needs."""


class WholeTrustOnly(Forbidden):
    """It concerns the whole trust, and your grant covers a part of it."""


class NotFound(Problem):
    """It doesn't exist, or isn't the caller's to see."""

    status = 404


class MethodNotAllowed(Problem):
    """The path exists, but not with this method."""

    status = 405


class NotAcceptable(Problem):
    """None of the media types that the caller accepts can be given."""

    status = 406


class Conflict(Problem):
    """It contradicts what is stored."""

    status = 409


class Gone(Problem):
    """It existed once and is no longer given out."""

    status = 410


class PreconditionFailed(Problem):
    """It changed since the caller read it."""

    status = 412


class PayloadTooLarge(Problem):
    """The body is too large for this operation."""

    status = 413


class UnsupportedMediaType(Problem):
    """The media type or the encoding of the body isn't accepted by this operation."""

    status = 415


class InvalidRequest(Problem):
    """The request doesn't match the contract; `errors` lists every fault."""

    status = 422
    example: ClassVar[Mapping[str, Any]] = {
        "errors": [
            {
                "pointer": "/query/limit",
                "parameter": "limit",
                "code": "greater_than_equal",
                "detail": "Input should be greater than or equal to 1",
            }
        ]
    }


class PreconditionRequired(Problem):
    """The caller must say which version it read."""

    status = 428


class TooManyRequests(Problem):
    """Too many requests; try again after `Retry-After` seconds."""

    status = 429


class InternalError(Problem):
    """A fault of ours."""

    status = 500


class ComesBack(Problem):
    """It will work again; `Retry-After` says when to try."""

    status = 503

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_seconds: int = 1,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        if not any(name.lower() == "retry-after" for name in headers or {}):
            headers = {"Retry-After": str(retry_after_seconds), **(headers or {})}
        super().__init__(detail, errors=errors, headers=headers, **extensions)


class ServiceUnavailable(ComesBack):
    """The service is unavailable; try again later."""


class InsufficientStorage(ComesBack):
    """There is no space left for what the caller sends."""

    status = 507


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can run into these problems.

    Problems that every route of the house can run into (401, 422, 503, ...) are added by
    `create_service` and need not be listed.
    """
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status, []).append(problem)
    return {status: response_of(same_status) for status, same_status in by_status.items()}


def response_of(problems: Sequence[type[Problem]]) -> dict[str, Any]:
    """One entry of a contract's `responses` for problems that share a status."""
    unique = {problem.code: problem for problem in problems}
    return {
        "description": HTTPStatus(problems[0].status).phrase,
        "content": {MEDIA_TYPE: {"schema": dict(PROBLEM_SCHEMA)}},
        # Read and removed when the contract is written.
        PROBLEMS: {
            code: {"means": first_line(problem), "title": problem.title, "example": dict(problem.example)}
            for code, problem in unique.items()
        },
    }


def first_line(problem: type[Problem]) -> str:
    """What a problem means, in the words of its class."""
    return (problem.__doc__ or problem.title).strip().splitlines()[0].rstrip(".")
