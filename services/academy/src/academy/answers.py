"""Answers that are built from rows as they are, without a model for each: lists, and things with a tag.

The contract comes from the route's `response_model`; every answer of every test is checked against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response

from kit.resources.etags import etag
from kit.web.links import page_links
from kit.web.tags import not_modified

_OPTIONS = orjson.OPT_UTC_Z


def _plain(value: object) -> object:
    """What the database driver's own kinds of value are in JSON."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value)} has no form in JSON")


def written(body: object) -> bytes:
    """A body as it is sent: times in UTC with a Z, ids as text."""
    return orjson.dumps(body, default=_plain, option=_OPTIONS)


TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": {"ETag": {"schema": {"type": "string"}}}}}
"""Says in `responses=` of a route that its answer has an `ETag`; the kit writes the rest of it."""


def list_answer(request: Request, items: list[dict[str, Any]], next_cursor: str | None, **more: Any) -> Response:
    """A page of a list, with its `Link`; `more` are further members beside `items` and `next`."""
    body = {"items": items, "next": next_cursor, **more}
    response = Response(written(body), media_type="application/json")
    page_links(response, request, next_cursor)
    return response


def tagged_answer(request: Request, body: Mapping[str, Any], version: str | int | None = None) -> Response:
    """One thing with its `ETag`, or 304 for who has it; without a version the tag names what it says."""
    content = written(body)
    tag = etag(version if version is not None else hashlib.sha256(content).hexdigest()[:32])
    response = not_modified(request, tag)
    if response is None:
        response = Response(content, media_type="application/json", headers={"ETag": tag})
    return response


def plain_answer(body: Mapping[str, Any]) -> Response:
    """An answer of one moment, such as a look-up, that nobody keeps."""
    return Response(written(body), media_type="application/json")
