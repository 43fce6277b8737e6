"""Versions as entity tags: read with them, write with them (RFC 9110).

Our tags name a version of a thing, not its bytes, so `W/` makes no difference and is ignored:
the gateway weakens a tag when it compresses an answer.
"""

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from kit.problems import FieldError, InvalidRequest, PreconditionFailed, PreconditionRequired

# One tag of a list; a quote can't be inside (RFC 9110, 8.8.3).
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_BETWEEN = re.compile(r"[ \t,]*")
# The same for the contract, without the rarer white space.
TAG_LIST = r'^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$'
LONGEST_HEADER = 4096
# Stands for `*`; with its space it can't be a tag itself (`"*"` can).
ANY = "any tag"


def etag(version: int | str) -> str:
    """The tag of a version, quoted. Raises ValueError when the version can't stand in a header."""
    tag = f'"{version}"'
    if not _TAG.fullmatch(tag):
        raise ValueError(f"a version can't be {version!r}")
    return tag


def tagged(status: int = 200) -> dict[int | str, dict[str, Any]]:
    """For the `responses=` of a route whose answer carries an `ETag`; a GET with it can also answer 304."""
    return {status: {"headers": {"ETag": {"schema": {"type": "string"}}}}}


def opaque(tag: str) -> str:
    """The part of a tag that is compared: without `W/` and quotes."""
    return tag.removeprefix("W/").strip('"')


def tags_of(header: str) -> set[str] | None:
    """The opaque parts of a list of tags; `{ANY}` for `*`; None when it can't be read."""
    header = header.strip(" \t")
    if header == "*":
        return {ANY}
    if len(header) > LONGEST_HEADER:
        return None
    tags: set[str] = set()
    # Step by step: one expression for the whole list could be made to try for ever.
    place = _end(_BETWEEN, header, 0)
    while place < len(header):
        tag = _TAG.match(header, place)
        if tag is None:
            return None
        tags.add(tag[1])
        place = _end(_BETWEEN, header, tag.end())
        if place < len(header) and "," not in header[tag.end() : place]:
            return None
    return tags or None


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


def matches(header: str | None, current: str) -> bool:
    """Does an `If-None-Match` name the current tag? A header that can't be read names nothing."""
    if header is None:
        return False
    tags = tags_of(header)
    return tags is not None and (ANY in tags or opaque(current) in tags)


def _require_if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of what you read. Without it: 428. When it changed since: 412.",
            max_length=LONGEST_HEADER,
        ),
    ] = None,
) -> str:
    if if_match is None:
        raise PreconditionRequired("Send the ETag of what you read as If-Match.")
    if tags_of(if_match) is None:
        error = FieldError.in_header("If-Match", "etag_invalid", 'Write tags in quotes, such as "7".')
        raise InvalidRequest("If-Match can't be read.", errors=[error])
    return if_match


# Declared as required in the contract; its absence is 428, not 422.
IfMatch = Annotated[str, Depends(_require_if_match)]


def check_if_match(header: str, current_etag: str) -> None:
    """Raises PreconditionFailed unless the header names the current tag (or is `*`)."""
    if not matches(header, current_etag):
        raise PreconditionFailed(
            "It changed since you read it. Read it again and repeat your change.",
            headers={"ETag": current_etag},
        )


def not_modified(request: Request, current_etag: str) -> Response | None:
    """The 304 for a reader that has the current version already; None when it needs the body."""
    if request.method not in {"GET", "HEAD"}:
        return None
    headers = request.headers.getlist("if-none-match")
    if not headers or not matches(",".join(headers), current_etag):
        return None
    return Response(status_code=304, headers={"ETag": current_etag})
