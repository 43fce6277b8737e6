"""Request bodies: how large, of what type, and JSON that means the same to everybody who reads it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from kit.field_codes import KitCode
from kit.names import repeated_name
from kit.problems import (
    FieldError,
    InvalidRequest,
    MalformedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)

STREAMED = "x-streamed-body"
MERGE_PATCH = "application/merge-patch+json"
# More would only repeat the first.
MOST_ERRORS = 100
# What a body may have is what can be checked within 20 ms on the event loop.
LARGEST_JSON_BYTES = 192 * 1024
# In larger bodies the place of what is wrong isn't looked for: that takes longer than all other checks.
LARGEST_POINTED_BYTES = 64 * 1024
LARGEST_ANONYMOUS_JSON_BYTES = 8 * 1024
# What is made of many small parts takes longest to check. A thousand figures of nine names each fit.
MOST_CONTAINERS = 2_500
MOST_NAMES = 10_000
MOST_VALUES = 20_000
# A token request may carry two ID tokens of 16 KiB.
LARGEST_FORM_BYTES = 48 * 1024

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
# An escaped NUL, which an even number of backslashes before it doesn't undo.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def largest_body(media_types: frozenset[str], *, needs_token: bool) -> int:
    """The most bytes that an operation takes, unless the setting `max_body_bytes` is lower."""
    if any(not is_json(media_type) for media_type in media_types):
        return LARGEST_FORM_BYTES
    return LARGEST_JSON_BYTES if needs_token else LARGEST_ANONYMOUS_JSON_BYTES


def streamed_body(
    media_types: Mapping[str, Mapping[str, Any]], *, description: str, required: bool = True
) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads its body as a stream.

    `media_types` maps each accepted type to its media type object of the contract (`{"schema": ...}`).
    The kit checks the type; size and content coding are the route's own to check.
    """
    return {
        STREAMED: True,
        "requestBody": {
            "description": description,
            "required": required,
            "content": {name: dict(content) for name, content in media_types.items()},
        },
    }


def media_type_of(content_type: str | None) -> str | None:
    """The bare media type of a `Content-Type`, in lower case; None when there is none."""
    if content_type is None:
        return None
    return content_type.partition(";")[0].strip().lower() or None


def is_json(media_type: str) -> bool:
    """Is it JSON, plain or by suffix?"""
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def check_media_type(content_type: str | None, accepted: frozenset[str], content_encoding: str | None) -> None:
    """Raises UnsupportedMediaType unless a body of this type and coding is taken here."""
    named = ", ".join(sorted(accepted))
    media_type = media_type_of(content_type)
    if media_type is None or media_type not in accepted:
        raise UnsupportedMediaType(f"Send {named}; this was {_said(media_type)}.", headers={"Accept": named})
    if content_encoding is not None and content_encoding.strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Send the body uncompressed.", headers={"Accept-Encoding": "identity"})
    charset = charset_of(content_type or "")
    if is_json(media_type) and charset not in {None, "utf-8", "utf8"}:
        raise UnsupportedMediaType("JSON is always UTF-8.", headers={"Accept": named})


def _said(media_type: str | None) -> str:
    if media_type is None:
        return "of no type"
    return media_type[:100] if media_type.isprintable() else "of another type"


def charset_of(content_type: str) -> str | None:
    """The `charset` of a `Content-Type`, in lower case; None when it says none."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return None


def too_large(limit_bytes: int) -> PayloadTooLarge:
    """The problem of a body over the limit."""
    return PayloadTooLarge(f"The body may have at most {limit_bytes:,} bytes.", limit_bytes=limit_bytes)


def check_json(body: bytes, *, deepest: int) -> None:
    """Raises MalformedRequest for what isn't JSON (RFC 8259, I-JSON), and InvalidRequest for JSON that
    is too deep or holds a NUL, which no text column can keep.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = _sentence(error.msg)
        raise MalformedRequest(
            f"The body isn't valid JSON: {detail}", errors=[FieldError.in_body([], KitCode.JSON_INVALID, detail)]
        ) from None
    if _has_many_parts(body):
        most = f"{MOST_CONTAINERS:,} objects and lists, {MOST_NAMES:,} names and {MOST_VALUES:,} values"
        detail = f"A body may have at most {most}."
        raise InvalidRequest(detail, errors=[FieldError.in_body([], KitCode.TOO_MANY_PARTS, detail)])
    if _is_deeper(body, deepest):
        path = _path_below(document, deepest) if len(body) <= LARGEST_POINTED_BYTES else []
        detail = f"JSON may be nested {deepest} levels deep."
        raise InvalidRequest(detail, errors=[FieldError.in_body(path, KitCode.TOO_DEEP, detail)])
    if b"\\u0000" in body and _NUL.search(body) is not None:
        errors = _nul_errors(document) if len(body) <= LARGEST_POINTED_BYTES else [_nul_error([])]
        raise InvalidRequest("Text can't hold a NUL character.", errors=errors)
    if body.count(b":") > 1:
        _check_unique_names(body)


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:200]}."


def _has_many_parts(body: bytes) -> bool:
    """Is valid JSON made of more objects, lists and names than may be? What stands in its texts doesn't count."""
    return _counts_many(body) and _counts_many(_STRING.sub(b"", body))


def _counts_many(body: bytes) -> bool:
    containers = body.count(b"{") + body.count(b"[")
    return containers > MOST_CONTAINERS or body.count(b":") > MOST_NAMES or body.count(b",") >= MOST_VALUES


def _is_deeper(body: bytes, deepest: int) -> bool:
    """Is valid JSON nested deeper? Takes away the innermost pairs of brackets, a level at a time, in C."""
    if body.count(b"{") + body.count(b"[") <= deepest:
        return False
    brackets = _STRING.sub(b"", body).translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(deepest):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _path_below(document: Any, deepest: int) -> list[str | int]:
    """The path of the first thing nested deeper than allowed; empty when nothing is."""
    for path, value in _walk(document):
        if len(path) >= deepest and isinstance(value, dict | list):
            return list(path)
    return []


def _nul_errors(document: Any) -> list[FieldError]:
    errors = []
    for path, value in _walk(document):
        in_name = isinstance(value, dict) and any("\0" in name for name in value)
        if in_name or (isinstance(value, str) and "\0" in value):
            shown = [
                step.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(step, str) else step for step in path
            ]
            errors.append(_nul_error(shown))
        if len(errors) >= MOST_ERRORS:
            break
    return errors


def _nul_error(path: list[str | int]) -> FieldError:
    return FieldError.in_body(path, KitCode.NUL_CHARACTER, "A NUL character isn't allowed.")


def _walk(document: Any) -> Iterator[tuple[list[str | int], Any]]:
    """Every value in the document's order, without recursion; the path is one list that changes on the way."""
    path: list[str | int] = []
    yield path, document
    waiting = [_members(document)]
    while waiting:
        step, value = next(waiting[-1], (None, None))
        if step is None:
            waiting.pop()
            if path:
                path.pop()
            continue
        path.append(step)
        yield path, value
        if isinstance(value, dict | list):
            waiting.append(_members(value))
        else:
            path.pop()


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list) else iter(())


def _check_unique_names(body: bytes) -> None:
    if (name := repeated_name(body)) is not None:
        detail = f"The name {name[:100]!a} occurs twice in one object."
        raise MalformedRequest(detail, errors=[FieldError.in_body([], KitCode.REPEATED_NAME, detail)])
