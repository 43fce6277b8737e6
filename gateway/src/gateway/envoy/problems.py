"""What the gateway says when it answers instead of a service: the same problem details that services give.

Types, titles and codes are those of the kit where it has them, so that a client needs one table of problems.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.envoy.notation import header, typed
from kit.problems import (
    MEDIA_TYPE,
    Forbidden,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnsupportedMediaType,
)

# How soon a service that is down may be back: the supervisor restarts a crashed one within seconds.
RETRY_AFTER_SECONDS: Final = 2


class RequestTimeout(Problem):
    """The request didn't arrive in time."""

    status = 408


class UriTooLong(Problem):
    """The path and query are longer than the gateway reads."""

    status = 414
    code = "uri-too-long"
    title = "URI too long"


class ExpectationFailed(Problem):
    """The gateway can't do what `Expect` asks for."""

    status = 417


class UpgradeRequired(Problem):
    """The gateway speaks HTTP/1.1 and HTTP/2."""

    status = 426


class RequestHeaderFieldsTooLarge(Problem):
    """The headers of the request are longer than the gateway reads."""

    status = 431


class NotImplementedByGateway(Problem):
    """The gateway doesn't know this method or transfer coding."""

    status = 501
    code = "not-implemented"
    title = "Not implemented"


class BadGateway(Problem):
    """The service gave an answer that isn't HTTP."""

    status = 502


class GatewayTimeout(Problem):
    """The service didn't answer in time."""

    status = 504


@dataclass(frozen=True, slots=True)
class Reply:
    """What the gateway says in one case: the problem, one sentence, further headers."""

    problem: type[Problem]
    detail: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    because: str | None = None
    """Part of Envoy's own word for the case; None for whatever else has the problem's status."""
    instead_of: int | None = None
    """The status that Envoy would give; None when it gives the problem's own."""


def _token_refused(detail: str, because: str, instead_of: int | None = None) -> Reply:
    challenge = f'Bearer realm="trellis", error="invalid_token", error_description="{detail}"'
    return Reply(Unauthorized, f"{detail}.", MappingProxyType({"www-authenticate": challenge}), because, instead_of)


_CLOSE: Final = MappingProxyType({"connection": "close"})
_LATER: Final = MappingProxyType({"retry-after": str(RETRY_AFTER_SECONDS)})
_MAYBE_DONE: Final = "If it was to change something, it may have: repeat it with the same Idempotency-Key"

REPLIES: Final[tuple[Reply, ...]] = (
    Reply(
        MalformedRequest,
        "The request can't be read as HTTP, or its path or host is written in a way that isn't accepted.",
    ),
    Reply(
        Unauthorized,
        "Send an access token as `Authorization: Bearer ...`; the page at / says how to get one.",
        MappingProxyType({"www-authenticate": 'Bearer realm="trellis"'}),
        "Jwt_is_missing",
    ),
    # Not the token's fault: a client that hears 401 would throw a good one away.
    Reply(
        ServiceUnavailable,
        "The keys that tokens are checked with can't be reached; try again soon.",
        _LATER,
        "Jwks_remote_fetch_is_failed",
        401,
    ),
    _token_refused("The access token has expired", "Jwt_is_expired"),
    _token_refused("The access token is for another issuer or audience", "Audiences_in_Jwt_are_not_allowed", 403),
    _token_refused("The access token is for another issuer or audience", "Jwt_issuer_is_not_configured"),
    _token_refused("The access token doesn't count", ""),
    Reply(Forbidden, "The gateway doesn't let this request through."),
    Reply(NotFound, "There is nothing at this path."),
    Reply(MethodNotAllowed, "This path doesn't know the method."),
    Reply(RequestTimeout, "The request didn't arrive in time.", _CLOSE),
    Reply(PayloadTooLarge, "The body is too large for this operation.", _CLOSE),
    Reply(UriTooLong, "The path and query are too long."),
    Reply(UnsupportedMediaType, "The body is of a kind, or encoded in a way, that isn't taken."),
    Reply(ExpectationFailed, "The gateway can't do what `Expect` asks for."),
    Reply(UpgradeRequired, "Use HTTP/1.1 or HTTP/2."),
    Reply(TooManyRequests, "Too many requests; wait for as many seconds as `Retry-After` says."),
    Reply(RequestHeaderFieldsTooLarge, "The headers are too long or too many."),
    Reply(InternalError, "The gateway failed; quote `trace_id` when you ask for help."),
    Reply(NotImplementedByGateway, "The gateway doesn't know this method or transfer coding."),
    Reply(BadGateway, f"The service gave an answer that can't be passed on. {_MAYBE_DONE}.", _LATER),
    Reply(
        ServiceUnavailable,
        "The service is starting, stopped or overloaded; try again soon.",
        _LATER,
        "no_healthy_upstream",
    ),
    Reply(
        ServiceUnavailable,
        "More requests come than can be answered at the moment; nothing was done. Try again in a moment.",
        _LATER,
        "overflow",
    ),
    Reply(ServiceUnavailable, f"The service broke off before it had answered. {_MAYBE_DONE}.", _LATER),
    Reply(GatewayTimeout, f"The service didn't answer in time. {_MAYBE_DONE}.", _LATER),
)


def _body_format(reply: Reply, *, is_known: bool) -> dict[str, Any]:
    """The answer's body in Envoy's terms; Envoy fills in the parts in percent signs and escapes them."""
    return {
        "content_type": MEDIA_TYPE,
        "json_format": {
            "type": f"urn:trellis:problem:{reply.problem.code}",
            "title": reply.problem.title,
            "status": reply.problem.status,
            "detail": reply.detail,
            # Without the query, which may hold what shouldn't be repeated.
            "instance": "%PATH(NQ:PATH):1024%" if is_known else "/",
            "code": reply.problem.code,
            "trace_id": "%REQ(X-REQUEST-ID)%" if is_known else "none",
            "errors": [],
        },
    }


def _fits(reply: Reply, *, is_known: bool) -> dict[str, Any]:
    status = reply.instead_of or reply.problem.status
    filters: list[dict[str, Any]] = [
        {
            "status_code_filter": {
                "comparison": {"op": "EQ", "value": {"default_value": status, "runtime_key": f"trellis.reply.{status}"}}
            }
        }
    ]
    if is_known:
        filters.append({"header_filter": {"header": {"name": "x-request-id", "present_match": True}}})
    if reply.because:
        filters.append(
            {
                "extension_filter": {
                    "name": "because",
                    "typed_config": typed(
                        "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                        expression=f"response.code_details.contains('{reply.because}')",
                    ),
                }
            }
        )
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}


def local_replies() -> dict[str, Any]:
    """Envoy's `local_reply_config`: every answer that it makes itself becomes a problem.

    A request that can't be read has neither an id nor a path yet, and its problem has none either.
    """
    return {
        "mappers": [
            {
                "filter": _fits(reply, is_known=is_known),
                "status_code": reply.problem.status,
                "body_format_override": _body_format(reply, is_known=is_known),
                "headers_to_add": [header(name, value) for name, value in reply.headers.items()],
            }
            for is_known in (True, False)
            for reply in REPLIES
        ]
    }
