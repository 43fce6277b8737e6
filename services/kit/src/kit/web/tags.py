"""Entity tags in requests and answers: `If-Match`, 304, and what the contract says of them."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from kit.etags import LONGEST_HEADER, matches, tags_of
from kit.problems import FieldError, InvalidRequest, PreconditionRequired


def tagged(status: int = 200) -> dict[int | str, dict[str, Any]]:
    """For the `responses=` of a route whose answer carries an `ETag`; a GET with it can also answer 304."""
    return {status: {"headers": {"ETag": {"schema": {"type": "string"}}}}}


def _require_if_match(
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
        error = FieldError.in_header("If-Match", "etag_invalid", 'Write tags in quotes, such as "7".')
        raise InvalidRequest("If-Match can't be read.", errors=[error])
    return if_match


# Declared as required in the contract; its absence is 428, not 422.
IfMatch = Annotated[str, Depends(_require_if_match)]


def not_modified(request: Request, current_etag: str) -> Response | None:
    """The 304 for a reader that has the current version already; None when it needs the body."""
    if request.method not in {"GET", "HEAD"}:
        return None
    headers = request.headers.getlist("if-none-match")
    if not headers or not matches(",".join(headers), current_etag):
        return None
    return Response(status_code=304, headers={"ETag": current_etag})
