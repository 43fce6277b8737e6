"""Entity tags in requests and answers: `If-Match`, 304, and what the contract says of them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response

from kit.etags import LONGEST_HEADER, matches, tags_of
from kit.field_codes import KitCode
from kit.problems import FieldError, InvalidRequest, PreconditionRequired

ABOUT_THE_BODY: Final = frozenset({"content-encoding", "content-length", "content-range", "content-type"})
"""Headers in lower case that describe the body of an answer; one without a body has none of them."""


def tagged(status: int = 200) -> dict[int | str, dict[str, Any]]:
    """For the `responses=` of a route whose answer carries an `ETag`; a GET with it can also answer 304."""
    return {status: {"headers": {"ETag": {"schema": {"type": "string"}}}}}


async def _require_if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of what you read. A request without it is rejected with 428, and with 412 when "
            "there is a newer version.",
            max_length=LONGEST_HEADER,
        ),
    ] = None,
) -> str:
    if if_match is None:
        raise PreconditionRequired("Send the ETag of what you read as If-Match.")
    if tags_of(if_match) is None:
        error = FieldError.in_header("If-Match", KitCode.ETAG_INVALID, 'Write tags in quotes, such as "7".')
        raise InvalidRequest("If-Match can't be read.", errors=[error])
    return if_match


# Declared as required in the contract; its absence is 428, not 422.
IfMatch = Annotated[str, Depends(_require_if_match)]


def headers_of_not_modified(headers: Mapping[str, str]) -> dict[str, str]:
    """What a 304 says: all that the 200 says, but nothing about its body.

    A browser puts these in place of what it kept with its copy. What is missing here, a gateway may fill in with
    something of its own, and the page then works only on the first visit.
    """
    return {name: value for name, value in headers.items() if name.lower() not in ABOUT_THE_BODY}


def not_modified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """The 304 for a reader that has the current version already; None when it needs the body.

    `headers` are those of the whole answer, the `ETag` among them.
    """
    if request.method not in {"GET", "HEAD"}:
        return None
    known = request.headers.getlist("if-none-match")
    current = next(value for name, value in headers.items() if name.lower() == "etag")
    if not known or not matches(",".join(known), current):
        return None
    return Response(status_code=304, headers=headers_of_not_modified(headers))
