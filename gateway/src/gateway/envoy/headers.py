"""What the gateway does with headers: what clients may not say, what answers always say, which pages may ask."""

import re
from typing import Any, Final

from gateway.envoy.notation import FILTERS, header, typed
from gateway.envoy.settings import EnvoySettings

HEADERS: Final = "trellis.headers"
REQUEST_ID: Final = "trellis.request-id"
LIMITS: Final = "trellis.limits"
CORS: Final = "envoy.filters.http.cors"
OWN_ANSWERS: Final = "trellis.own-answers"
LINK_HEADER: Final = "x-trellis-link"

# Answers of browsers' clients may read these (decided for the API as a whole).
EXPOSED_HEADERS: Final = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Deprecation",
    "Sunset",
    "WWW-Authenticate",
    "X-Request-ID",
    "Idempotency-Replayed",
)
ALLOWED_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Accept",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
    "X-Request-ID",
    "traceparent",
    "tracestate",
)
ALLOWED_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PREFLIGHT_SECONDS: Final = 600

# What services believe comes from the gateway alone: whatever a client says there is dropped.
INTERNAL_PREFIXES: Final = ("x-trellis-", "x-envoy-", "x-forwarded-", "x-original-", "x-rewrite-", "x-http-method")
INTERNAL_HEADERS: Final = ("forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "proxy")
FORWARDED: Final = "x-forwarded-"
# What a proxy of ours in front of the gateway tells.
FORWARDED_BY_PROXY: Final = ("x-forwarded-host", "x-forwarded-port", "x-forwarded-prefix", "x-forwarded-client-cert")

# A request id of the client's is kept when it looks like one; the services judge by the same pattern.
REQUEST_ID_PATTERN: Final = "[A-Za-z0-9._-]{8,128}"


def _set(name: str, value: str, action: str = "OVERWRITE_IF_EXISTS_OR_ADD") -> dict[str, Any]:
    return {"append": header(name, value, action)}


def header_filter(settings: EnvoySettings) -> dict[str, Any]:
    """Names of software out of answers; safety and limits into them."""
    answer = [
        {"remove": "server"},
        {"remove": "x-powered-by"},
        {"remove": "x-envoy-ratelimited"},
        # What the filter of `/readyz` adds: an empty name.
        {"remove": "x-envoy-upstream-healthchecked-cluster"},
        _set("x-content-type-options", "nosniff"),
        _set("referrer-policy", "no-referrer", "ADD_IF_ABSENT"),
        _set("x-frame-options", "DENY"),
        # The portal says what its own pages need; everything else needs nothing.
        _set(
            "content-security-policy",
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "ADD_IF_ABSENT",
        ),
        _set("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()", "ADD_IF_ABSENT"),
    ]
    if settings.cors_origins and "*" not in settings.cors_origins:
        answer.append(_set("vary", "Origin", "APPEND_IF_EXISTS_OR_ADD"))
    if settings.tls_certificate is not None:
        answer.append(_set("strict-transport-security", "max-age=31536000"))
    return {
        "name": HEADERS,
        "typed_config": typed(
            f"{FILTERS}.header_mutation.v3.HeaderMutation",
            mutations={"response_mutations": answer},
        ),
    }


def link_header() -> dict[str, Any]:
    """For the routes of shared links: the path without its query, by which requests are counted per link."""
    return typed(
        f"{FILTERS}.header_mutation.v3.HeaderMutationPerRoute",
        mutations={"request_mutations": [_set(LINK_HEADER, "%PATH(NQ:PATH)%")]},
    )


def early_header_mutation(settings: EnvoySettings) -> dict[str, Any]:
    """Drops what clients may not say, before anything is concluded from it."""
    prefixes = [prefix for prefix in INTERNAL_PREFIXES if prefix != FORWARDED or not settings.trusted_proxy_hops]
    names = [*INTERNAL_HEADERS, *(FORWARDED_BY_PROXY if settings.trusted_proxy_hops else ())]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
            mutations=[
                *({"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in prefixes),
                *({"remove": name} for name in names),
            ],
        ),
    }


def _header_is(message: str, name: str, pattern: str) -> dict[str, Any]:
    return {
        "single_predicate": {
            "input": {"name": name, "typed_config": typed(f"envoy.type.matcher.v3.{message}", header_name=name)},
            "value_match": {"safe_regex": {"google_re2": {}, "regex": pattern}},
        }
    }


def _mutate_unless(name: str, predicate: dict[str, Any], mutations: dict[str, Any]) -> dict[str, Any]:
    skip = typed("envoy.extensions.filters.common.matcher.action.v3.SkipFilter")
    return {
        "name": name,
        "typed_config": typed(
            "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            extension_config={
                "name": f"{name}.mutation",
                "typed_config": typed(f"{FILTERS}.header_mutation.v3.HeaderMutation", mutations=mutations),
            },
            xds_matcher={
                "matcher_list": {
                    "matchers": [
                        {"predicate": predicate, "on_match": {"action": {"name": "skip", "typed_config": skip}}}
                    ]
                }
            },
        ),
    }


def request_id_filter() -> dict[str, Any]:
    """A new request id in place of one that doesn't look like any: it goes into logs and answers."""
    return _mutate_unless(
        REQUEST_ID,
        _header_is("HttpRequestHeaderMatchInput", "x-request-id", REQUEST_ID_PATTERN),
        {"request_mutations": [_set("x-request-id", "%UNIQUE_ID%")]},
    )


def limit_filter() -> dict[str, Any]:
    """The limits in the words of the coming standard (draft 10), in place of Envoy's (draft 3)."""
    return _mutate_unless(
        LIMITS,
        {"not_matcher": _header_is("HttpResponseHeaderMatchInput", "x-ratelimit-remaining", "[0-9]+")},
        {
            "response_mutations": [
                _set("ratelimit-policy", '"requests";q=%RESP(X-RATELIMIT-LIMIT)%;w=60'),
                _set("ratelimit", '"requests";r=%RESP(X-RATELIMIT-REMAINING)%'),
                {"remove": "x-ratelimit-limit"},
                {"remove": "x-ratelimit-remaining"},
                {"remove": "x-ratelimit-reset"},
            ]
        },
    )


def own_answers_filters(settings: EnvoySettings) -> list[dict[str, Any]]:
    """What Envoy's filter for other origins leaves out: answers that the gateway gives itself, without a service.

    A page must be able to see why there is nothing at a path. One filter for each origin: what can't be read has no
    header to go by, so that an answer never repeats the origin of a request.
    """
    origins = {"*": ".*"} if "*" in settings.cors_origins else {one: re.escape(one) for one in settings.cors_origins}
    return [
        _mutate_unless(
            f"{OWN_ANSWERS}.{place}",
            {"not_matcher": _header_is("HttpRequestHeaderMatchInput", "origin", pattern)},
            {
                "response_mutations": [
                    _set("access-control-allow-origin", origin, "ADD_IF_ABSENT"),
                    _set("access-control-expose-headers", ", ".join(EXPOSED_HEADERS), "ADD_IF_ABSENT"),
                ]
            },
        )
        for place, (origin, pattern) in enumerate(origins.items())
    ]


def cors_policy(settings: EnvoySettings) -> dict[str, Any]:
    """Which pages of other origins may use the API. No cookies are involved, so none are allowed."""
    origins = settings.cors_origins
    return typed(
        f"{FILTERS}.cors.v3.CorsPolicy",
        allow_origin_string_match=(
            [{"safe_regex": {"regex": ".*"}}]
            if "*" in origins
            else [{"exact": origin} for origin in dict.fromkeys(origins)]
        ),
        allow_methods=", ".join(ALLOWED_METHODS),
        allow_headers=", ".join(ALLOWED_HEADERS),
        expose_headers=", ".join(EXPOSED_HEADERS),
        max_age=str(PREFLIGHT_SECONDS),
        allow_credentials=False,
        forward_not_matching_preflights=False,
    )
