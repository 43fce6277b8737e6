"""Request bodies: how large, of what type, and JSON that means the same to everybody who reads it."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

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
            f"The body isn't valid JSON: {detail}", errors=[FieldError.in_body([], "json_invalid", detail)]
        ) from None
    if body.count(b"{") + body.count(b"[") > deepest and (path := _too_deep(document, deepest)) is not None:
        detail = f"JSON may be nested {deepest} levels deep."
        raise InvalidRequest(detail, errors=[FieldError.in_body(path, "too_deep", detail)])
    if b"\\u0000" in body and (errors := _nul_errors(document)):
        raise InvalidRequest("Text can't hold a NUL character.", errors=errors)
    if body.count(b":") > 1:
        _check_unique_names(body)


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:200]}."


def _too_deep(document: Any, deepest: int) -> list[str | int] | None:
    """The path of something nested deeper than allowed; None when nothing is."""
    for path, value in _walk(document):
        if len(path) >= deepest and isinstance(value, dict | list):
            return path
    return None


def _nul_errors(document: Any) -> list[FieldError]:
    errors = []
    for path, value in _walk(document):
        in_name = isinstance(value, dict) and any("\0" in name for name in value)
        if in_name or (isinstance(value, str) and "\0" in value):
            shown = [
                step.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(step, str) else step for step in path
            ]
            errors.append(FieldError.in_body(shown, "nul_character", "A NUL character isn't allowed."))
        if len(errors) >= MOST_ERRORS:
            break
    return errors


def _walk(document: Any) -> Iterator[tuple[list[str | int], Any]]:
    """Every value with its path, without recursion."""
    waiting: list[tuple[list[str | int], Any]] = [([], document)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if isinstance(value, dict):
            waiting.extend(([*path, name], member) for name, member in value.items())
        elif isinstance(value, list):
            waiting.extend(([*path, index], member) for index, member in enumerate(value))


def _check_unique_names(body: bytes) -> None:
    if (name := repeated_name(body)) is not None:
        detail = f"The name {name[:100]!a} occurs twice in one object."
        raise MalformedRequest(detail, errors=[FieldError.in_body([], "repeated_name", detail)])
