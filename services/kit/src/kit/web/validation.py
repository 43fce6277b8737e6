"""What a request says wrongly, all at once, each with a pointer to where."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.routing import APIRoute

from kit.field_codes import KitCode, code_named
from kit.problems import FieldError, InvalidRequest
from kit.resources.fields import PATTERNS

# More would only repeat the first.
MOST_ERRORS = 100
_MISMATCH = "String should match pattern '"
_UNKNOWN = {"query": KitCode.UNKNOWN_PARAMETER, "body": KitCode.UNKNOWN_FIELD}


def query_errors(raw: bytes, known: Mapping[str, bool]) -> list[FieldError]:
    """What is wrong with a query string, whatever the values mean.

    `known` says of each parameter whether it may be repeated.
    """
    errors: list[FieldError] = []
    seen: set[str] = set()
    for pair in raw.split(b"&"):
        if not pair:
            continue
        name_bytes, _, value_bytes = (unquote_to_bytes(part) for part in pair.replace(b"+", b" ").partition(b"="))
        name = name_bytes.decode(errors="replace")
        if (wrong := _undecodable(name_bytes, value_bytes)) is not None:
            errors.append(FieldError.in_query(name, *wrong))
        elif name not in known:
            errors.append(FieldError.in_query(name, _UNKNOWN["query"], _no_such(known)))
        elif name in seen and not known[name]:
            errors.append(FieldError.in_query(name, KitCode.REPEATED_PARAMETER, "Send this parameter once."))
        seen.add(name)
        if len(errors) >= MOST_ERRORS:
            break
    return errors


def _undecodable(name: bytes, value: bytes) -> tuple[KitCode, str] | None:
    if b"\0" in name or b"\0" in value:
        return KitCode.NUL_CHARACTER, "A NUL character isn't allowed."
    try:
        name.decode()
        value.decode()
    except UnicodeDecodeError:
        return KitCode.NOT_UTF8, "This isn't valid UTF-8."
    return None


def _no_such(known: Iterable[str]) -> str:
    names = sorted(known)
    if not names:
        return "There is no such parameter; this operation takes none."
    return f"There is no such parameter; there are: {', '.join(names)}."


def field_errors(errors: Sequence[Mapping[str, Any]], body: object) -> list[FieldError]:
    """Errors of pydantic and FastAPI as ours. `body` is what was sent, to point into."""
    return [_field_error(error, body) for error in errors[:MOST_ERRORS]]


def _field_error(error: Mapping[str, Any], body: object) -> FieldError:
    kind, detail = str(error["type"]), str(error["msg"]).removeprefix("Value error, ")
    code = code_named(kind)
    where, *path = error["loc"] or ("body",)
    if kind == "extra_forbidden":
        code, detail = _UNKNOWN.get(str(where), KitCode.UNKNOWN_PARAMETER), "There is no such member."
    elif code == KitCode.STRING_PATTERN_MISMATCH:
        # Bodies are checked without the context of errors, so that the pattern is in the sentence alone.
        detail = PATTERNS.get(detail.removeprefix(_MISMATCH).removesuffix("'"), detail)
    if where == "body":
        return FieldError.in_body(_path_in(body, path, is_missing=code == KitCode.MISSING), code, detail)
    name = str(path[0]) if path else str(where)
    if where == "path":
        return FieldError.in_path(name, code, detail)
    if where in {"header", "cookie"}:
        return FieldError.in_header(name, code, detail)
    return FieldError.in_query(name, code, detail)


def _path_in(body: object, path: Sequence[str | int], *, is_missing: bool) -> list[str | int]:
    """The steps that lead into the body; pydantic also names union members and validators on the way."""
    found: list[str | int] = []
    here = body
    for index, step in enumerate(path):
        if _has(here, step):
            found.append(step)
            here = here[step]  # type: ignore[index]
        elif isinstance(here, Mapping) and is_missing and index == len(path) - 1:
            found.append(step)
    return found


def _has(here: object, step: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(step, int) and 0 <= step < len(here)
    return isinstance(here, Mapping) and step in here


async def refuse(
    request: Request, route: APIRoute, errors: Sequence[FieldError], body_errors: Sequence[Mapping[str, Any]]
) -> None:
    """Raises InvalidRequest with these errors of query and body, and every other that the request has."""
    raw: list[Mapping[str, Any]] = []
    for dependant in _with_dependencies(route.dependant):
        raw += request_params_to_args(dependant.path_params, request.path_params)[1]
        raw += request_params_to_args(dependant.query_params, request.query_params)[1]
        raw += request_params_to_args(dependant.header_params, request.headers)[1]
    body = await request.json() if body_errors else None
    unique: dict[tuple[str, str], FieldError] = {}
    for error in [*errors, *field_errors(raw, body), *field_errors(body_errors, body)]:
        unique.setdefault((error.pointer, error.code), error)
    raise InvalidRequest(errors=list(unique.values())[:MOST_ERRORS])


def _with_dependencies(dependant: Dependant) -> Iterable[Dependant]:
    yield dependant
    for below in dependant.dependencies:
        yield from _with_dependencies(below)
