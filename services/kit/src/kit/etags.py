"""Versions as entity tags: read with them, write with them (RFC 9110).

Our tags name a version of a thing, not its bytes, so `W/` makes no difference and is ignored:
the gateway weakens a tag when it compresses an answer.
"""

import re

from kit.problems import PreconditionFailed

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


def check_if_match(header: str, current_etag: str) -> None:
    """Raises PreconditionFailed unless the header names the current tag (or is `*`)."""
    if not matches(header, current_etag):
        raise PreconditionFailed(
            "It changed since you read it. Read it again and repeat your change.",
            headers={"ETag": current_etag},
        )
